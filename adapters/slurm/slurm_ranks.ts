/**
 * What becomes of the output of the tasks that a script starts with `srun`.
 *
 * @module
 */
import { OptionValues } from "../option_values.ts";

/**
 * Whose output a stream holds: every task's, line by line (`"merged"`); the same with the task's number
 * before each line (`"labelled"`); or that of task 0 alone, as it comes (`"first"`).
 */
export type Ranks = "merged" | "labelled" | "first";

/** srun's own variables; what a script says in srun's options wins over them. */
const LINES: Record<Ranks, string[]> = {
  merged: ["unset SLURM_LABELIO SLURM_UNBUFFEREDIO SLURM_STDOUTMODE SLURM_STDERRMODE"],
  labelled: [
    "unset SLURM_UNBUFFEREDIO SLURM_STDOUTMODE SLURM_STDERRMODE",
    "export SLURM_LABELIO=1",
  ],
  // a task that fails says why on stderr, whichever it is
  first: [
    "unset SLURM_LABELIO",
    "export SLURM_STDOUTMODE=0 SLURM_STDERRMODE=all SLURM_UNBUFFEREDIO=1",
  ],
};

/**
 * The set-up lines that tell `srun` so.
 *
 * @param ranks What is wanted; what srun does by itself where it is `undefined`.
 * @returns Lines of shell.
 * @throws {StreamError} `bad_request` for another word.
 * @example
 * ```ts
 * import { rankSetup } from "./slurm_ranks.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(rankSetup("labelled").at(-1), "export SLURM_LABELIO=1");
 * ```
 */
export function rankSetup(ranks: Ranks | undefined): string[] {
  if (ranks === undefined) return [];
  if (Object.hasOwn(LINES, ranks)) return LINES[ranks];
  return new OptionValues("Slurm").refuse(
    "ranks",
    `it is ${JSON.stringify(ranks)}, expected "merged", "labelled" or "first"`,
  );
}
