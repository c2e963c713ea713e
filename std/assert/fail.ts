/** @module */
import { AssertionError } from "./assertion_error.ts";

/**
 * Fails the test that comes here.
 *
 * @param msg Added to the error's message.
 * @throws {AssertionError} always.
 *
 * @example
 * ```ts
 * import { assertThrows, fail } from "@std/assert";
 *
 * assertThrows(() => fail("not reached"));
 * ```
 */
export function fail(msg?: string): never {
  throw new AssertionError(`Failed assertion${msg ? `: ${msg}` : "."}`);
}
