/** @module */

/**
 * Thrown by every assertion that does not hold.
 *
 * @example
 * ```ts
 * import { assert, AssertionError, assertThrows } from "@std/assert";
 *
 * assertThrows(() => assert(false), AssertionError);
 * ```
 */
export class AssertionError extends Error {
  /**
   * @param message What did not hold.
   * @param options As of `Error`; `cause` is kept.
   */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}
