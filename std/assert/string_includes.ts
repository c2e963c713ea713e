/** @module */
import { AssertionError } from "./assertion_error.ts";

/**
 * Asserts that a text holds another one.
 *
 * @param actual The text.
 * @param expected What it should hold.
 * @param msg Added to the error's message.
 * @throws {AssertionError} if it doesn't.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 *
 * assertStringIncludes("hello tokens", "tok");
 * ```
 */
export function assertStringIncludes(
  actual: string,
  expected: string,
  msg?: string,
): void {
  if (actual.includes(expected)) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to contain: "${expected}"${msg ? `: ${msg}` : "."}`,
  );
}
