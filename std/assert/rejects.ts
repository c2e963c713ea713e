/** @module */
import { AssertionError } from "./assertion_error.ts";
import { assertIsError } from "./is_error.ts";

/**
 * Asserts that a function returns a promise that rejects.
 *
 * @param fn The function to call.
 * @param msg Added to the error's message.
 * @returns What it was rejected with.
 * @throws {AssertionError} if it resolves, or if the function throws instead.
 *
 * @example
 * ```ts
 * import { assertRejects } from "@std/assert";
 *
 * await assertRejects(() => Promise.reject(new Error("no")));
 * ```
 */
export function assertRejects(
  fn: () => PromiseLike<unknown>,
  msg?: string,
): Promise<unknown>;
/**
 * Asserts that a function returns a promise that rejects with an error of a class.
 *
 * @param fn The function to call.
 * @param ErrorClass The class it should be of.
 * @param msgIncludes What its message should hold.
 * @param msg Added to the error's message.
 * @returns The error it was rejected with.
 * @throws {AssertionError} if it resolves, or with something else, or if the function throws.
 *
 * @example
 * ```ts
 * import { assertRejects } from "@std/assert";
 *
 * await assertRejects(() => Promise.reject(new TypeError("no")), TypeError, "no");
 * ```
 */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: abstract new (...args: never[]) => E,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  classOrMsg?: string | (abstract new (...args: never[]) => E),
  msgIncludes?: string,
  msg?: string,
): Promise<unknown> {
  const note = typeof classOrMsg === "string" ? classOrMsg : msg;
  const suffix = note ? `: ${note}` : ".";
  let promise: PromiseLike<unknown> | undefined;
  try {
    promise = fn();
  } catch (cause) {
    throw new AssertionError(
      `Function throws when expected to reject${suffix}`,
      { cause },
    );
  }
  if (typeof promise?.then !== "function") {
    throw new AssertionError(
      `Function returns no promise when expected to reject${suffix}`,
    );
  }
  try {
    await promise;
  } catch (error) {
    if (typeof classOrMsg !== "function") return error;
    if (!(error instanceof Error)) {
      throw new AssertionError(`A non-Error object was rejected${suffix}`);
    }
    assertIsError(error, classOrMsg, msgIncludes, msg);
    return error;
  }
  throw new AssertionError(`Expected function to reject${suffix}`);
}
