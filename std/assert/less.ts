/** @module */
import { AssertionError } from "./assertion_error.ts";
import { inspected } from "./inspected.ts";

/**
 * Asserts that `actual` is less than `expected`.
 *
 * @param actual What there is.
 * @param expected What it is held against.
 * @param msg Added to the error's message.
 * @throws {AssertionError} if it isn't.
 *
 * @example
 * ```ts
 * import { assertLess } from "@std/assert";
 *
 * assertLess(1, 2);
 * ```
 */
export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  if (actual < expected) return;
  throw new AssertionError(
    `Expect ${inspected(actual)} < ${inspected(expected)}${msg ? `: ${msg}` : "."}`,
  );
}
