/**
 * Makes a job's channel and puts its input there.
 *
 * @module
 */
import { ControlClient } from "../../client/mod.ts";
import { sealInput } from "../../stream/sealed_input.ts";
import type { OnDisconnect } from "../../stream/v2_control.ts";
import type { ResolvedRelay } from "../relay/relay_for.ts";
import type { ChannelTokens } from "./job_record.ts";

/** A channel that waits for its job. */
export interface PreparedChannel {
  /** The channel. */
  channel: string;
  /** Its incarnation. */
  incarnation: string;
  /** Its tokens. */
  tokens: ChannelTokens;
  /** The relay, as seen from here. */
  relay: string;
  /** The stream's key, where it is encrypted end to end. */
  key?: string;
  /** Fires when the relay is known to be gone for good. */
  lost?: AbortSignal;
  /** The folder of its spool, where the job reaches no relay. */
  spool?: string;
  /** How it is, where that is not v2. */
  encryption?: "v1";
}

/** What a channel is made with. */
export interface PrepareOptions {
  /** The input. */
  input?: Uint8Array<ArrayBuffer>;
  /** The stream's key, where it is to be encrypted end to end; the input is, too. */
  key?: string;
  /** How it is to be, where that is not v2. */
  encryption?: "v1";
  /** Seconds of supervision that begin at once. */
  lease: number;
  /** What becomes of the job when its supervisor goes away. */
  onDisconnect: OnDisconnect;
  /** Breaks it off. */
  signal?: AbortSignal;
}

/**
 * Makes a channel on a relay, and puts the input.
 *
 * @param relay The relay, and what may create channels there.
 * @param options Input, lease.
 * @returns The channel.
 * @throws {StreamError} `unreachable`, `unauthorized`, … as the relay answers; a channel whose input is
 * refused is removed.
 */
export async function prepareChannel(
  relay: ResolvedRelay,
  options: PrepareOptions,
): Promise<PreparedChannel> {
  const { lease, onDisconnect, signal, key, encryption } = options;
  const { url, token = "" } = relay;
  const creator = new ControlClient({ url, token, signal });
  const { id, incarnation, tokens } = await creator.createChannel({
    keyed: key !== undefined,
    lease,
    onDisconnect,
  });
  if (options.input) {
    // from here on the channel's own token does: what may create channels is used as little as can be
    const control = new ControlClient({
      url,
      token: tokens.supervise,
      signal,
    });
    try {
      const { input } = options;
      await control.putInput(id, key === undefined ? input : await sealInput(key, id, input));
    } catch (error) {
      await control.delete(id).catch(() => {});
      throw error;
    }
  }
  return {
    channel: id,
    incarnation,
    tokens,
    relay: url,
    ...(key !== undefined && { key }),
    ...(encryption && { encryption }),
    lost: relay.lost,
  };
}
