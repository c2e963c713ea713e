/** @module */
import { AssertionError } from "./assertion_error.ts";
import { equal } from "./equal.ts";
import { inspected } from "./inspected.ts";

/**
 * Asserts that two values are not deeply equal.
 *
 * @param actual What there is.
 * @param expected What it should differ from.
 * @param msg Added to the error's message.
 * @throws {AssertionError} if they are equal.
 *
 * @example
 * ```ts
 * import { assertNotEquals } from "@std/assert";
 *
 * assertNotEquals([1], [2]);
 * ```
 */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (!equal(actual, expected)) return;
  throw new AssertionError(
    `Expected actual: ${inspected(actual)} not to be: ${inspected(expected)}${
      msg ? `: ${msg}` : "."
    }`,
  );
}
