/**
 * Going on in the middle of an encrypted record, which comes again as a whole.
 *
 * @module
 */
import type { EventBatch, SessionPoint } from "../stream/mod.ts";

/** Where reading stopped. */
export interface Stopped {
  /** The session before the record. */
  session: SessionPoint;
  /** How many events of the record were read. */
  skip: number;
}

/**
 * Batches, each of one record, of which the first sealed one was read in part.
 *
 * Only events of that very record, which its seq proves, are passed over: what a relay puts before it
 * must not make anything be counted as read that was not.
 *
 * @param batches What comes, from that record on.
 * @param stopped Where reading stopped.
 * @returns The same; the record says how many of its events to pass over.
 */
export async function* passOver(
  batches: AsyncIterable<EventBatch>,
  { session, skip }: Stopped,
): AsyncGenerator<EventBatch, void, undefined> {
  let waiting = true;
  for await (const batch of batches) {
    const at = batch.session;
    const before = at === undefined || (at.epoch === session.epoch && at.next === session.next);
    if (!waiting || before) {
      yield batch;
      continue;
    }
    waiting = false;
    const same = at.epoch === session.epoch &&
      (session.next === undefined || at.next === session.next + 1);
    yield same ? { ...batch, skip } : batch;
  }
}
