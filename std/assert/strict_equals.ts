/** @module */
import { AssertionError } from "./assertion_error.ts";
import { diff } from "./diff.ts";
import { inspected } from "./inspected.ts";

/**
 * Asserts that two values are the same one, by `Object.is`.
 *
 * @param actual What there is.
 * @param expected What it should be.
 * @param msg Added to the error's message.
 * @throws {AssertionError} if they aren't.
 *
 * @example
 * ```ts
 * import { assertStrictEquals } from "@std/assert";
 *
 * const one = {};
 * assertStrictEquals(one, one);
 * ```
 */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  if (Object.is(actual, expected)) return;
  const [a, b] = [inspected(actual), inspected(expected)];
  throw new AssertionError(
    `Values are not strictly equal${msg ? `: ${msg}` : "."}\n\n${
      a === b ? `Same text, but not the same reference:\n\n${a}` : diff(a, b)
    }\n`,
  );
}
