/**
 * How far a stream was read.
 *
 * @module
 */
import type { StreamEvent } from "./event.ts";
import type { EventBatch, ReadPlace } from "./token_source.ts";

/** Keeps count of what was read of the batch at hand. */
export class ReadingPlace {
  /** How many events of the batch were read. */
  read = 0;
  #before: ReadPlace;
  #batch?: EventBatch;

  /** @param from Where reading begins. */
  constructor(from: ReadPlace = { offset: 0 }) {
    this.#before = from;
  }

  /**
   * Takes the next batch.
   *
   * @param batch The batch.
   * @returns Those of its events that were not read before.
   */
  begin(batch: EventBatch): StreamEvent[] {
    this.#before = this.reached;
    this.#batch = batch;
    this.read = batch.skip ?? 0;
    return this.read > 0 ? batch.events.slice(this.read) : batch.events;
  }

  /** The place after the last event that was read. */
  get reached(): ReadPlace {
    const { offset, next, session, events } = this.#batch ?? { events: [] };
    if (offset === undefined) return this.#before;
    const after = session ?? this.#before.session;
    if (this.read >= events.length) {
      return { offset: next ?? offset + events.length, session: after };
    }
    if (next === undefined) return { offset: offset + this.read, session: after };
    // in the middle of an encrypted record, which is only ever opened as a whole
    return { offset, session: this.#before.session, skip: this.read };
  }
}
