/** @module */
import { AssertionError } from "./assertion_error.ts";

/**
 * Asserts that a value is neither null nor undefined, and narrows its type.
 *
 * @param actual The value to look at.
 * @param msg Added to the error's message.
 * @throws {AssertionError} if it is.
 *
 * @example
 * ```ts
 * import { assertExists } from "@std/assert";
 *
 * assertExists(0);
 * ```
 */
export function assertExists<T>(
  actual: T,
  msg?: string,
): asserts actual is NonNullable<T> {
  if (actual !== undefined && actual !== null) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to not be null or undefined${msg ? `: ${msg}` : "."}`,
  );
}
