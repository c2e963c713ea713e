/** @module */

/**
 * Why a file could not be had, for the middle of a sentence.
 *
 * @param error What opening it threw.
 * @param what What is not there, if it is not there.
 * @returns The reason, in words.
 * @example
 * ```ts
 * import { whyMissing } from "./why_missing.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const error = await Deno.readTextFile("/nowhere").catch((error) => error);
 * assertEquals(whyMissing(error), "there is no such file");
 * ```
 */
export function whyMissing(error: unknown, what = "file"): string {
  if (error instanceof Deno.errors.NotFound) return `there is no such ${what}`;
  return error instanceof Error ? error.message : String(error);
}
