/**
 * What a consumer receives, in the smallest parts that have a place.
 *
 * @module
 */
import type { RelayConsumer } from "../../client/mod.ts";
import type { EventBatch } from "../../stream/token_source.ts";

/**
 * Gives events one by one, so that a place can be told for each; those of a sealed record belong together.
 *
 * @param consumer A consumer that nobody reads.
 * @returns Its events.
 */
export async function* oneByOne(consumer: RelayConsumer): AsyncGenerator<EventBatch> {
  for await (const batch of consumer.batches()) {
    let { offset } = batch;
    if (offset === undefined || batch.session !== undefined) {
      yield batch;
      continue;
    }
    for (const event of batch.events) {
      yield { events: [event], offset };
      offset = event.type === "gap" ? event.to : offset + 1;
    }
  }
}
