/**
 * One moment at which something is due.
 *
 * @module
 */

/** The longest delay a timer takes, about 24.8 days. */
const LONGEST = 2 ** 31 - 1;

/** A timer for a moment rather than a delay; setting it anew replaces it. */
export class Deadline {
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Whether it is set and has not come. */
  get armed(): boolean {
    return this.#timer !== undefined;
  }

  /**
   * Sets the moment.
   *
   * @param at Milliseconds since 1970.
   * @param due Called then.
   */
  set(at: number, due: () => void): void {
    // by a clock that does not jump: a wait of a minute stays one, whatever becomes of the time of day
    this.#wait(performance.now() + Math.max(at - Date.now(), 0), due);
  }

  #wait(until: number, due: () => void): void {
    this.clear();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (performance.now() < until) this.#wait(until, due);
      else due();
    }, Math.min(Math.max(until - performance.now(), 0), LONGEST));
  }

  /** Forgets it. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
