/** @module */

/** Where `run` can run a script. */
export const EXECUTOR_KINDS = ["local", "slurm", "pbs", "ssh", "globus"] as const;

/** One of them; so is an executor called in records, too. */
export type ExecutorKind = typeof EXECUTOR_KINDS[number];

/**
 * Whether a word names an executor.
 *
 * @param word The word.
 * @returns Whether it does.
 */
export function isExecutorKind(word: string | undefined): word is ExecutorKind {
  return (EXECUTOR_KINDS as readonly (string | undefined)[]).includes(word);
}

/**
 * Words as a sentence lists them.
 *
 * @param words The words.
 * @returns `local, slurm or pbs`.
 */
export function orOf(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
