/**
 * The record a stream ended with.
 *
 * @module
 */
import type { DoneEvent, ErrorEvent } from "../../stream/event.ts";
import type { ChannelEnd } from "../../stream/v2_control.ts";
import { channelConsumer, type ReadableChannel } from "./channel_consumer.ts";

/**
 * Reads what the producer said at its end: the notice of an end has no usage in it.
 *
 * @param prepared The channel.
 * @param end The notice.
 * @returns The record, or what the notice tells where it can't be read.
 */
export async function finalRecord(
  prepared: ReadableChannel,
  end: ChannelEnd,
): Promise<DoneEvent | ErrorEvent> {
  const consumer = channelConsumer(prepared, { from: end.offset, retry: { giveUpAfter: 0 } });
  try {
    for await (const event of consumer.stream().events()) {
      // with a key nothing but the reading itself tells how it ended: the notice is anybody's
      if (prepared.key && (event.type === "done" || event.type === "error")) return event;
      // what the reading itself failed with is no word of the producer
      if (event.type === "done" && end.kind === "done") return event;
      if (event.type === "error" && end.kind === "error") return event;
    }
  } catch {
    // the notice tells whether it is complete
  } finally {
    consumer.close();
  }
  if (prepared.key) {
    return { type: "error", code: "producer_lost", message: "The end can't be read", ts: end.ts };
  }
  const { code = "job_failed", message = "The job failed", details, ts } = end;
  return end.kind === "done"
    ? { type: "done", reason: "completed", ts }
    : { type: "error", code, message, ts, ...(details && { details }) };
}
