/**
 * What arrived and was not read yet.
 *
 * @module
 */
import type { EventBatch } from "../stream/mod.ts";

/** Batches between a socket, which pushes, and one reader, who pulls. */
export class BatchQueue implements AsyncIterable<EventBatch> {
  /** UTF-16 units of what waits. */
  units = 0;
  #batches: { batch: EventBatch; units: number }[] = [];
  #finished = false;
  #wake?: () => void;
  #taken: (units: number) => void;
  #left: () => void;

  /**
   * @param taken Called with the units of each batch that the reader takes.
   * @param left Called when the reader is done, early or not.
   */
  constructor(taken: (units: number) => void, left: () => void) {
    this.#taken = taken;
    this.#left = left;
  }

  /** Adds a batch; what comes after the end is dropped. */
  push(batch: EventBatch, units: number): void {
    if (this.#finished) return;
    this.#batches.push({ batch, units });
    this.units += units;
    this.#wake?.();
  }

  /** Adds events to the batch that arrived last, as long as it waits and is small. */
  append(batch: EventBatch, units: number): void {
    const last = this.#batches.at(-1);
    // one that has a place tells where its last event stands: what has none must not be counted there
    if (last === undefined || last.batch.offset !== undefined || last.batch.events.length >= 512) {
      return this.push(batch, units);
    }
    if (this.#finished) return;
    last.batch.events.push(...batch.events);
    last.units += units;
    this.units += units;
  }

  /** Ends the queue behind what it holds. */
  finish(): void {
    this.#finished = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<EventBatch, void, undefined> {
    try {
      for (;;) {
        const next = this.#batches.shift();
        if (next !== undefined) {
          this.units -= next.units;
          this.#taken(next.units);
          yield next.batch;
        } else if (this.#finished) return;
        else await new Promise<void>((resolve) => this.#wake = resolve);
      }
    } finally {
      this.#left();
    }
  }
}
