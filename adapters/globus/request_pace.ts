/**
 * Keeps requests under a service's limit.
 *
 * @module
 */

/** Lets so many requests pass within any stretch of time; further ones wait, in their order. */
export class RequestPace {
  #most: number;
  #within: number;
  #passed: number[] = [];
  #queue: Promise<void> = Promise.resolve();

  /**
   * @param most Requests within a stretch.
   * @param within Its length, in milliseconds.
   */
  constructor(most: number, within: number) {
    this.#most = most;
    this.#within = within;
  }

  /**
   * Resolves when the next request may go.
   *
   * @example
   * ```ts
   * import { RequestPace } from "./request_pace.ts";
   *
   * const pace = new RequestPace(20, 10_000);
   * await pace.turn();
   * ```
   */
  turn(): Promise<void> {
    return this.#queue = this.#queue.then(async () => {
      const now = performance.now();
      this.#passed = this.#passed.filter((at) => at > now - this.#within);
      if (this.#passed.length >= this.#most) {
        const wait = this.#passed[this.#passed.length - this.#most] + this.#within - now;
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
      this.#passed.push(performance.now());
    });
  }
}
