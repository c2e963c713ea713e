/** @module */

/** Options of {@linkcode until}. */
export interface UntilOptions {
  /**
   * How long to go on asking, in milliseconds.
   *
   * @default {30_000}
   */
  within?: number;
  /**
   * The pause between two questions, in milliseconds.
   *
   * @default {50}
   */
  every?: number;
}

/**
 * Asks again and again until the answer is neither false, null nor undefined. For conditions
 * outside this process that announce themselves in no other way.
 *
 * @param what What is waited for, for the error's message.
 * @param ask The question.
 * @param options Deadline and pace.
 * @returns The answer.
 * @throws {Error} naming what didn't come to pass in time.
 *
 * @example
 * ```ts
 * import { until } from "./until.ts";
 *
 * const start = Date.now();
 * await until("a tick of the clock", () => Date.now() > start);
 * ```
 */
export async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
  options: UntilOptions = {},
): Promise<Exclude<T, false | null | undefined>> {
  const { within = 30_000, every = 50 } = options;
  const end = Date.now() + within;
  while (true) {
    const answer = await ask();
    if (answer !== false && answer !== null && answer !== undefined) {
      return answer as Exclude<T, false | null | undefined>;
    }
    if (Date.now() > end) throw new Error(`Not within ${within} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}
