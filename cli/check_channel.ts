/** @module */
import { ControlClient } from "../client/mod.ts";
import { randomId, StreamError } from "../stream/mod.ts";

/** A channel to try things on. */
export interface CheckChannel {
  /** Whether the relay has our control API. */
  ours: boolean;
  /** Its id. */
  id: string;
  /** What its producer says. */
  produce: string;
  /** What its consumer says. */
  consume: string;
  /** Removes it. */
  close(): Promise<void>;
}

/**
 * Makes a channel where the relay makes any; a relay like Python's has none to make.
 *
 * @param url The relay.
 * @param token A credential.
 * @param timeout Milliseconds that the relay has.
 * @returns The channel.
 * @throws {StreamError} `unauthorized` or `forbidden` as the relay answers.
 */
export async function openCheckChannel(
  url: string,
  token: string,
  timeout: number,
): Promise<CheckChannel> {
  const control = new ControlClient({ url, token, timeout });
  try {
    const { id, tokens } = await control.createChannel({ ttl: 60 });
    return {
      ours: true,
      id,
      produce: tokens.produce,
      consume: tokens.consume,
      // the supervisor's token may remove it where the one that made it is not known to the relay
      close: () =>
        new ControlClient({ url, token: tokens.supervise, timeout }).delete(id)
          .catch(() => {}),
    };
  } catch (error) {
    if (StreamError.from(error).code !== "unreachable") throw error;
    const id = `check-${randomId()}`;
    return { ours: false, id, produce: token, consume: token, close: async () => {} };
  }
}
