/** @module */
import { AssertionError } from "./assertion_error.ts";

/**
 * Asserts that two numbers differ by no more than a tolerance.
 *
 * @param actual What there is.
 * @param expected What there should be.
 * @param tolerance The greatest difference; by default a 10^-7th part of `expected`.
 * @param msg Added to the error's message.
 * @throws {AssertionError} if they differ by more.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 *
 * assertAlmostEquals(0.1 + 0.2, 0.3);
 * ```
 */
export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance?: number,
  msg?: string,
): void {
  if (Object.is(actual, expected)) return;
  const allowed = tolerance ??
    (Number.isFinite(expected) ? Math.abs(expected * 1e-7) : 1e-7);
  const delta = Math.abs(expected - actual);
  if (delta <= allowed) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to be close to "${expected}": delta "${delta}" is greater than "${allowed}"${
      msg ? `: ${msg}` : "."
    }`,
  );
}
