/**
 * What schedulers write into a job's error file when they end it for its memory.
 *
 * @module
 */

const WORDS = [
  // Slurm, by looking at processes and by cgroups
  /^slurmstepd\S*: error: .*(exceeded( job| step)? memory limit|oom[-_ ]kill)/im,
  // PBS, for mem, vmem and pmem
  /^=>> PBS: job killed: \w*mem \S+ exceeded limit/im,
];

/**
 * Whether a job's output tells that it was killed for its memory. Slurm without cgroups has no other
 * word for it: the job's state is `FAILED`, by signal 9.
 *
 * @param output The end of the job's error file.
 * @returns `true` where it does.
 * @example
 * ```ts
 * import { tellsOutOfMemory } from "./memory_words.ts";
 * import { assert } from "@std/assert";
 *
 * assert(tellsOutOfMemory("slurmstepd-n1: error: Exceeded job memory limit\n"));
 * ```
 */
export function tellsOutOfMemory(output: string): boolean {
  return WORDS.some((words) => words.test(output));
}
