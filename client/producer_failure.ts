/**
 * What a producer said of its failure, where a supervisor sets the end.
 *
 * @module
 */
import type { ChannelEnd, StatusEvent, StreamEvent } from "../stream/mod.ts";

/** States behind a failure in which it is an earlier attempt's. */
const VOIDING = new Set<string>(["queued", "restarted"]);

/**
 * Remembers a failure that came sealed. The end that a supervisor sets behind it is in plaintext and
 * quotes nothing of the program; a reader with the key gets both as one.
 */
export class ProducerFailure {
  #status?: StatusEvent & { code?: unknown };

  /** Looks for a failure among events; one of a job that waits again, or started over, is void. */
  note(events: readonly StreamEvent[]): void {
    for (const event of events) {
      if (event.type !== "status") continue;
      if (event.state === "failing") this.#status = event;
      else if (VOIDING.has(event.state)) this.#status = undefined;
    }
  }

  /** The end with the producer's own words, where it is the same failure. */
  addTo(end: ChannelEnd): ChannelEnd {
    if (this.#status === undefined || this.#status.code !== end.code) return end;
    const { reason = end.message, details } = this.#status;
    return { ...end, message: reason, details: { ...end.details, ...details } };
  }
}
