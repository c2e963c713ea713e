/** @module */

/**
 * One clock for all threads.
 *
 * @returns Milliseconds since 1970, as fine as `performance.now()`.
 */
export function clock(): number {
  return performance.timeOrigin + performance.now();
}
