/** @module */
import { AssertionError } from "./assertion_error.ts";
import { inspected } from "./inspected.ts";

/**
 * Asserts that a value is an instance of a class, and narrows its type.
 *
 * @param actual The value.
 * @param expectedType The class.
 * @param msg Added to the error's message.
 * @throws {AssertionError} if it isn't.
 *
 * @example
 * ```ts
 * import { assertInstanceOf } from "@std/assert";
 *
 * assertInstanceOf(new Uint8Array(1), Uint8Array);
 * ```
 */
export function assertInstanceOf<
  T extends abstract new (...args: never[]) => unknown,
>(
  actual: unknown,
  expectedType: T,
  msg?: string,
): asserts actual is InstanceType<T> {
  if (actual instanceof expectedType) return;
  throw new AssertionError(
    `Expected object to be an instance of "${expectedType.name}" but was ${inspected(actual)}${
      msg ? `: ${msg}` : "."
    }`,
  );
}
