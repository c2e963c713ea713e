/**
 * The environment for the programs an executor starts.
 *
 * @module
 */

/**
 * The submitter's environment without what belongs to streamrelay: a relay's secret or another
 * channel's token must not get into a job.
 *
 * @param environment The environment to clean; this process's by default.
 * @returns A copy without any `STREAMRELAY_*` and `RELAY_*`.
 * @example
 * ```ts
 * import { cleanEnvironment } from "./clean_environment.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(cleanEnvironment({ HOME: "/root", RELAY_SECRET: "s" }), { HOME: "/root" });
 * ```
 */
export function cleanEnvironment(
  environment: Record<string, string> = Deno.env.toObject(),
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !/^(STREAMRELAY|RELAY)_/.test(name)),
  );
}
