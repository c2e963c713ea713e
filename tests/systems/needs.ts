/** @module */
import type { SystemName } from "./providers.ts";

/** What a test's needs come to on this machine. */
export interface Needs {
  /** Whether the test has to be left out; for `Deno.test({ ignore })`. */
  ignore: boolean;
  /** The systems that aren't there. */
  missing: SystemName[];
}

/**
 * Says which systems a test needs. They are there only under the runner
 * (`deno task test`), which starts exactly the ones that the chosen files name here, in
 * calls with literal names; a plain `deno test` leaves such tests out.
 *
 * @param systems Names of systems.
 * @returns Whether to leave the test out.
 *
 * @example
 * ```ts
 * import { needs } from "./needs.ts";
 *
 * const { ignore } = needs("slurm");
 * ```
 */
export function needs(...systems: SystemName[]): Needs {
  const missing = systems.filter((name) => !Deno.env.get(`STREAMRELAY_TEST_${name.toUpperCase()}`));
  return { ignore: missing.length > 0, missing };
}
