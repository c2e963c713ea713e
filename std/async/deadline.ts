/** @module */
import { abortable } from "./abortable.ts";

/** Options of {@linkcode deadline}. */
export interface DeadlineOptions {
  /** Ends the wait early. */
  signal?: AbortSignal;
}

/**
 * A promise that rejects if another one takes too long.
 *
 * @param p The promise to wait for. It is not stopped, only no longer waited for.
 * @param ms How long to wait, in milliseconds. `Infinity` waits for ever.
 * @param options An early end.
 * @returns A promise of the same value.
 * @throws {DOMException} named `TimeoutError` when the time is over; the signal's reason when
 * that is aborted first.
 *
 * @example
 * ```ts
 * import { deadline } from "@std/async/deadline";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await deadline(Promise.resolve("soon"), 1000), "soon");
 * ```
 */
export async function deadline<T>(
  p: Promise<T>,
  ms: number,
  options: DeadlineOptions = {},
): Promise<T> {
  const over = new AbortController();
  const timer = ms === Infinity ? undefined : setTimeout(() => {
    over.abort(new DOMException("Signal timed out.", "TimeoutError"));
  }, Math.min(ms, 2 ** 31 - 1));
  const signals = options.signal ? [over.signal, options.signal] : [over.signal];
  try {
    return await abortable(p, AbortSignal.any(signals));
  } finally {
    clearTimeout(timer);
  }
}
