/** @module */
import { AssertionError } from "./assertion_error.ts";

/**
 * Asserts that `expr` is truthy, and narrows its type.
 *
 * @param expr The value to look at.
 * @param msg The message of the error.
 * @throws {AssertionError} if it is falsy.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 *
 * assert("tokens".startsWith("tok"));
 * ```
 */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}
