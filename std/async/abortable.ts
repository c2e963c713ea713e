/** @module */

/**
 * A promise that also rejects when a signal is aborted.
 *
 * @param p The promise to wait for. It is not stopped by the signal, only no longer waited for.
 * @param signal The signal.
 * @returns A promise of the same value, rejected with the signal's reason once it is aborted.
 *
 * @example
 * ```ts
 * import { abortable } from "@std/async/abortable";
 * import { assertRejects } from "@std/assert";
 *
 * const never = new Promise<string>(() => {});
 * await assertRejects(() => abortable(never, AbortSignal.abort(new Error("enough"))));
 * ```
 */
export async function abortable<T>(
  p: Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  // An early abort must not leave the promise's own rejection unhandled.
  if (signal.aborted) p.catch(() => {});
  signal.throwIfAborted();
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([p, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
