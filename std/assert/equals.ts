/** @module */
import { AssertionError } from "./assertion_error.ts";
import { diff } from "./diff.ts";
import { equal } from "./equal.ts";
import { inspected } from "./inspected.ts";

/**
 * Asserts that two values are deeply equal.
 *
 * @param actual What there is.
 * @param expected What there should be.
 * @param msg Added to the error's message.
 * @throws {AssertionError} with a line-by-line difference if they aren't.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([1, { a: "b" }], [1, { a: "b" }]);
 * ```
 */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (equal(actual, expected)) return;
  const lines = diff(inspected(actual), inspected(expected));
  throw new AssertionError(
    `Values are not equal${msg ? `: ${msg}` : "."}\n\n[Diff] - actual / + expected\n\n${lines}\n`,
  );
}
