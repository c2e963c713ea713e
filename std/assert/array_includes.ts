/** @module */
import { AssertionError } from "./assertion_error.ts";
import { equal } from "./equal.ts";
import { inspected } from "./inspected.ts";

/**
 * Asserts that a list holds every element of another one, by deep equality.
 *
 * @param actual The list.
 * @param expected The elements it should hold.
 * @param msg Added to the error's message.
 * @throws {AssertionError} naming the missing ones.
 *
 * @example
 * ```ts
 * import { assertArrayIncludes } from "@std/assert";
 *
 * assertArrayIncludes([1, 2, 3], [3, 1]);
 * ```
 */
export function assertArrayIncludes<T>(
  actual: ArrayLike<T>,
  expected: ArrayLike<T>,
  msg?: string,
): void {
  const held = Array.from(actual);
  const missing = Array.from(expected).filter((x) => !held.some((y) => equal(x, y)));
  if (missing.length === 0) return;
  throw new AssertionError(
    `Expected actual: "${inspected(held)}" to include: "${inspected(Array.from(expected))}"${
      msg ? `: ${msg}` : "."
    }\nmissing: ${inspected(missing)}`,
  );
}
