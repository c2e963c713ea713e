/**
 * Finding a failure that its producer told of and nobody has judged yet.
 *
 * @module
 */
import { CODES, type ErrorCode, isErrorCode } from "../stream/mod.ts";
import type { Failure } from "./records.ts";
import type { Store } from "./store/store.ts";
import type { ProducerStatus } from "./supervision.ts";

/** Records from the tail within which it must stand: behind it come the relay's and a supervisor's words. */
const WITHIN = 64;
/** UTF-16 units read at a time. */
const UNITS = 1024 * 1024;

/**
 * Looks for a `status {failing}` as the last word of a channel's newest producer.
 *
 * @param store Where the channel is.
 * @param id The channel.
 * @returns The failure and its status; `undefined` where the producer's last word was another.
 */
export async function failingIn(
  store: Store,
  id: string,
): Promise<{ failure: Failure; status: ProducerStatus } | undefined> {
  const { claims, first, next } = await store.info(id);
  const epoch = claims.at(-1)?.epoch;
  let last: string | undefined;
  for (let from = Math.max(first, next - WITHIN); from < next;) {
    const frames = await store.read(id, from, UNITS);
    if (frames.length === 0) break;
    for (const frame of frames) {
      if (frame.origin === "producer" && frame.epoch === epoch) {
        last = frame.text.slice(frame.text.lastIndexOf("\n") + 1);
      }
      from = frame.first + frame.n;
    }
  }
  // parsed only where it can be one: most channels are found in the middle of their text
  if (!last?.includes('"failing"')) return undefined;
  const { type, ts: _, ...status } = JSON.parse(last);
  if (type !== "status" || status.state !== "failing") return undefined;
  const code: ErrorCode = isErrorCode(status.code) ? status.code : "job_failed";
  const message = typeof status.reason === "string" ? status.reason : CODES[code].meaning;
  return { failure: { code, message, details: status.details }, status };
}
