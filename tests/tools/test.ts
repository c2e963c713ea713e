/**
 * `test(name, fn)` on Deno and on Node, for the tests of `stream/` and `client/`, which run
 * on both. Anything beyond a name and a function isn't portable.
 *
 * @module
 */

/** Registers a test. */
export type Test = (name: string, fn: () => void | Promise<void>) => void;

/**
 * Registers a test with the runtime's own runner.
 *
 * @example
 * ```ts
 * import { test } from "./test.ts";
 *
 * test("one and one", () => {
 *   if (1 + 1 !== 2) throw new Error("no");
 * });
 * ```
 */
export const test: Test = "Deno" in globalThis
  ? (name, fn) => Deno.test(name, fn)
  : await nodeTest();

async function nodeTest(): Promise<Test> {
  const { test } = await import("node:test");
  return (name, fn) => {
    test(name, fn);
  };
}
