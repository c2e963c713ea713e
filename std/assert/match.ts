/** @module */
import { AssertionError } from "./assertion_error.ts";

/**
 * Asserts that a text matches a pattern.
 *
 * @param actual The text.
 * @param expected The pattern.
 * @param msg Added to the error's message.
 * @throws {AssertionError} if it doesn't.
 *
 * @example
 * ```ts
 * import { assertMatch } from "@std/assert";
 *
 * assertMatch("job 42", /\d+/);
 * ```
 */
export function assertMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void {
  // A fresh search: a global pattern would go on from its lastIndex.
  if (actual.search(expected) >= 0) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to match: "${expected}"${msg ? `: ${msg}` : "."}`,
  );
}
