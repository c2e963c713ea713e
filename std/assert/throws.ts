/** @module */
import { AssertionError } from "./assertion_error.ts";
import { assertIsError } from "./is_error.ts";

/**
 * Asserts that a function throws.
 *
 * @param fn The function to call.
 * @param msg Added to the error's message.
 * @returns What was thrown.
 * @throws {AssertionError} if it doesn't throw.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(() => JSON.parse("{"));
 * ```
 */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/**
 * Asserts that a function throws an error of a class.
 *
 * @param fn The function to call.
 * @param ErrorClass The class it should be of.
 * @param msgIncludes What its message should hold.
 * @param msg Added to the error's message.
 * @returns The error that was thrown.
 * @throws {AssertionError} if it doesn't throw, or something else.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(() => JSON.parse("{"), SyntaxError, "JSON");
 * ```
 */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: abstract new (...args: never[]) => E,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  classOrMsg?: string | (abstract new (...args: never[]) => E),
  msgIncludes?: string,
  msg?: string,
): unknown {
  const note = typeof classOrMsg === "string" ? classOrMsg : msg;
  const suffix = note ? `: ${note}` : ".";
  let thrown: unknown;
  try {
    fn();
  } catch (error) {
    if (typeof classOrMsg !== "function") return error;
    thrown = error;
    if (!(error instanceof Error)) {
      throw new AssertionError(`A non-Error object was thrown${suffix}`);
    }
    assertIsError(thrown, classOrMsg, msgIncludes, msg);
    return thrown;
  }
  throw new AssertionError(`Expected function to throw${suffix}`);
}
