/** @module */
import { AssertionError } from "./assertion_error.ts";
import { inspected } from "./inspected.ts";

/**
 * Asserts that a value is an error, if given of that class and with that text or pattern in
 * its message.
 *
 * @param error The value.
 * @param ErrorClass The class it should be of.
 * @param msgMatches What its message should hold.
 * @param msg Added to the error's message.
 * @throws {AssertionError} if it isn't.
 *
 * @example
 * ```ts
 * import { assertIsError } from "@std/assert";
 *
 * assertIsError(new TypeError("no token"), TypeError, "token");
 * ```
 */
export function assertIsError<E extends Error = Error>(
  error: unknown,
  ErrorClass?: abstract new (...args: never[]) => E,
  msgMatches?: string | RegExp,
  msg?: string,
): asserts error is E {
  const suffix = msg ? `: ${msg}` : ".";
  if (!(error instanceof Error)) {
    throw new AssertionError(
      `Expected "error" to be an Error object: ${inspected(error)}${suffix}`,
    );
  }
  if (ErrorClass && !(error instanceof ErrorClass)) {
    throw new AssertionError(
      `Expected error to be instance of "${ErrorClass.name}", but was "${error.constructor.name}" (${error.message})${suffix}`,
      { cause: error },
    );
  }
  const holds = msgMatches === undefined ||
    (typeof msgMatches === "string"
      ? error.message.includes(msgMatches)
      : error.message.search(msgMatches) >= 0);
  if (!holds) {
    throw new AssertionError(
      `Expected error message to match ${inspected(msgMatches)}, but got ${
        inspected(error.message)
      }${suffix}`,
      { cause: error },
    );
  }
}
