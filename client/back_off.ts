/**
 * How long to wait before trying again.
 *
 * @module
 */

/** Settings of a {@linkcode BackOff}. */
export interface BackOffOptions {
  /** Milliseconds the first wait is at most. */
  base: number;
  /** Milliseconds no wait exceeds. */
  cap: number;
  /** Source of chance, from 0 to 1; `Math.random` by default. */
  random?: () => number;
}

/**
 * Jittered exponential back-off: each wait is a random part of a ceiling that doubles up to the cap, so
 * that thousands of clients of one relay do not come back at the same moment.
 *
 * @example
 * ```ts
 * import { BackOff } from "./back_off.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const backOff = new BackOff({ base: 200, cap: 1000, random: () => 1 });
 * assertEquals([backOff.next(), backOff.next(), backOff.next(), backOff.next()], [200, 400, 800, 1000]);
 * ```
 */
export class BackOff {
  #options: BackOffOptions;
  #attempt = 0;

  /** @param options Base, cap and chance. */
  constructor(options: BackOffOptions) {
    this.#options = options;
  }

  /**
   * The next wait.
   *
   * @returns Milliseconds.
   */
  next(): number {
    const { base, cap, random = Math.random } = this.#options;
    const ceiling = Math.min(cap, base * 2 ** this.#attempt++);
    return Math.round(ceiling * random());
  }

  /** Starts over, after a success. */
  reset(): void {
    this.#attempt = 0;
  }
}
