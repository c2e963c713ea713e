/**
 * What an end means for the producer that hears of it.
 *
 * @module
 */
import { type ChannelEnd, StreamError } from "../stream/mod.ts";
import type { ResolvedOptions } from "./client_options.ts";
import { ControlClient } from "./control_client.ts";

/**
 * Whether the end that is in force is the one this producer sent: its acknowledgement may be what a cut
 * swallowed.
 *
 * @param options The client's options.
 * @param written Who wrote, and how many records.
 * @param error The relay's refusal to go on.
 */
export async function isOwnEnd(
  { urls, channel, token }: ResolvedOptions,
  written: { instance: string; next: number },
  error: StreamError,
): Promise<boolean> {
  try {
    const control = new ControlClient({ url: urls.join(","), token });
    const { end, claims } = await control.info(channel);
    return end?.by === "producer" &&
      claims.some(({ producerId, next }) =>
        producerId === written.instance && next >= written.next
      );
  } catch {
    const end = error.details.end as Partial<ChannelEnd> | undefined;
    return end?.by === "producer";
  }
}

/** The error of a producer whose channel was ended by somebody else. */
export function endedBy(end: ChannelEnd): StreamError {
  const { by, kind, code, message } = end;
  const said = message === undefined ? "" : `: ${message}`;
  return new StreamError(
    // what the relay itself ends a channel for, such as `limit`, is the producer's own trouble
    by === "relay" && code !== undefined ? code : "ended",
    `The channel was ended by the ${by} as ${kind}${code === undefined ? "" : ` (${code})`}${said}`,
    { details: { end } },
  );
}
