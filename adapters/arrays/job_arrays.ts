/**
 * What an executor whose scheduler knows job arrays adds to one that doesn't.
 *
 * @module
 */
import type { ExecutorConfig } from "../executor_config.ts";
import type { Submission, Submitted } from "../scheduler.ts";
import type { ScriptSource } from "../script_source.ts";
import type { TaskArray } from "./task_array.ts";

/** A scheduler's job arrays. */
export interface JobArrays<C extends ExecutorConfig = ExecutorConfig> {
  /**
   * Finds out which tasks are wanted.
   *
   * @param given What was asked for; it wins over the script's own directive.
   * @param script The user's script.
   * @returns The tasks.
   * @throws {StreamError} `bad_request` where neither says, or it can't be.
   */
  read(given: string | undefined, script: ScriptSource): TaskArray;
  /**
   * One task of an array that was submitted.
   *
   * @param submitted The scheduler's answer about the whole.
   * @param task The task's index.
   * @param submission What was submitted.
   * @returns The same about the task.
   */
  task(submitted: Submitted, task: number, submission: Submission<C>): Submitted;
}
