/** @module */
import { AssertionError } from "./assertion_error.ts";

/** Everything that is falsy. */
export type Falsy = false | 0 | 0n | "" | null | undefined;

/**
 * Asserts that `expr` is falsy.
 *
 * @param expr The value to look at.
 * @param msg The message of the error.
 * @throws {AssertionError} if it is truthy.
 *
 * @example
 * ```ts
 * import { assertFalse } from "@std/assert";
 *
 * assertFalse("tokens".startsWith("x"));
 * ```
 */
export function assertFalse(expr: unknown, msg = ""): asserts expr is Falsy {
  if (expr) throw new AssertionError(msg);
}
