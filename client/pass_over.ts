/**
 * Going on in the middle of an encrypted record, which comes again as a whole.
 *
 * @module
 */
import type { EventBatch } from "../stream/mod.ts";

/**
 * Batches of which the first events were read before.
 *
 * @param batches What comes, from the record on in which reading stopped.
 * @param skip How many events of it were read.
 * @returns The same; the first one says how many of its events to pass over, and holds more than those
 *   where any more come.
 */
export async function* passOver(
  batches: AsyncIterable<EventBatch>,
  skip: number,
): AsyncGenerator<EventBatch, void, undefined> {
  let first: EventBatch | undefined;
  let over = false;
  for await (const batch of batches) {
    if (over) {
      yield batch;
      continue;
    }
    // what ends a stream that broke off stands at no offset, and was never read before
    const lasts = batch.offset === undefined;
    if (!lasts) {
      first = first === undefined
        ? batch
        : { ...batch, events: [...first.events, ...batch.events], offset: first.offset };
    }
    over = lasts || first!.events.length > skip;
    if (over && first) yield { ...first, skip: Math.min(skip, first.events.length) };
    if (lasts) yield batch;
  }
  if (!over && first) yield { ...first, skip: first.events.length };
}
