/** @module */
import { type ConsumerOptions, RelayConsumer } from "../../client/mod.ts";
import type { PreparedChannel } from "./prepare_channel.ts";

/** What of a channel its reader has to know. */
export type ReadableChannel = Pick<
  PreparedChannel,
  "relay" | "channel" | "tokens" | "key" | "encryption"
>;

/**
 * A reader of a job's channel, with the channel's own token and key.
 *
 * @param prepared The channel, or the record of the job that has it.
 * @param options Where to begin, when to give up.
 * @returns The reader.
 */
export function channelConsumer(
  prepared: ReadableChannel,
  options: Partial<ConsumerOptions> = {},
): RelayConsumer {
  const { relay: url, channel, tokens, key = "", encryption } = prepared;
  return new RelayConsumer({
    url,
    channel,
    token: tokens.consume,
    key,
    ...(key && { encryption: encryption ?? "v2" }),
    ...options,
  });
}
