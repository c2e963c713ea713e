/** @module */

/** Options of {@linkcode delay}. */
export interface DelayOptions {
  /** Ends the wait early: the promise rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** The longest wait one timer can hold; beyond it timers fire at once. */
const LONGEST = 2 ** 31 - 1;

/**
 * Resolves after a while.
 *
 * @param ms How long, in milliseconds.
 * @param options A way to end it early.
 * @returns A promise that resolves then.
 * @throws The signal's reason, if it is aborted before that.
 *
 * @example
 * ```ts
 * import { delay } from "@std/async/delay";
 *
 * await delay(1);
 * ```
 */
export function delay(ms: number, options: DelayOptions = {}): Promise<void> {
  const { signal } = options;
  if (signal?.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    let timer: ReturnType<typeof setTimeout>;
    const end = Date.now() + ms;
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const start = (left: number) => {
      timer = setTimeout(() => {
        if (left > LONGEST) return start(end - Date.now());
        signal?.removeEventListener("abort", abort);
        resolve();
      }, Math.min(left, LONGEST));
    };
    signal?.addEventListener("abort", abort, { once: true });
    start(ms);
  });
}
