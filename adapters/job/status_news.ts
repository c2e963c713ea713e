/**
 * Which of a scheduler's answers are worth telling.
 *
 * @module
 */
import type { StatusEvent } from "../../stream/event.ts";

/** Milliseconds by which an expected start has to move before that is told. */
const ETA_STEP = 300_000;

/** Remembers what was told last. An expected start moves with every answer, mostly by little. */
export class StatusNews {
  #text = "";
  #eta?: number;

  /**
   * Whether a status tells something new; it then counts as told.
   *
   * @param status The status.
   * @returns Whether.
   * @example
   * ```ts
   * import { StatusNews } from "./status_news.ts";
   * import { assertEquals } from "@std/assert";
   *
   * const news = new StatusNews();
   * const status = { type: "status", state: "queued", eta: 1_000_000 } as const;
   * assertEquals(news.isNew(status), true);
   * assertEquals(news.isNew({ ...status, eta: 1_000_500 }), false);
   * ```
   */
  isNew({ eta, ...status }: StatusEvent): boolean {
    const text = JSON.stringify(status);
    const moved = eta === undefined || this.#eta === undefined
      ? eta !== this.#eta
      : Math.abs(eta - this.#eta) >= ETA_STEP;
    if (text === this.#text && !moved) return false;
    this.#text = text;
    this.#eta = eta;
    return true;
  }
}
