/**
 * Starts a job array: a run and a stream for each of its tasks.
 *
 * @module
 */
import { StreamError } from "../../stream/stream_error.ts";
import { TokenStream } from "../../stream/token_stream.ts";
import { cancelBy } from "../cancel_by.ts";
import type { ExecutorConfig } from "../executor_config.ts";
import { JobRun } from "../job/job_run.ts";
import type { Scheduler } from "../scheduler.ts";
import { ArrayLaunch } from "./array_launch.ts";
import type { TaskInput } from "./prepare_array.ts";

/** What is wanted. */
export interface ArrayStart<C extends ExecutorConfig = ExecutorConfig> {
  /** What the tasks get on their standard input. */
  input?: TaskInput;
  /** Arguments of the program. */
  args: string[];
  /** Which tasks there are; the script's own directive by default. */
  array?: string;
  /** The configuration, with the call's own options in it. */
  config: C;
}

/**
 * Finds out which tasks there are, and begins with all of them.
 *
 * @param scheduler Where the array is submitted.
 * @param start What is wanted.
 * @param signal Cancels every task.
 * @returns The tasks and their streams.
 * @throws {StreamError} `unsupported` where there are no arrays, `bad_request` where the tasks can't be read.
 */
export async function startArray<C extends ExecutorConfig>(
  scheduler: Scheduler<C>,
  start: ArrayStart<C>,
  signal?: AbortSignal,
): Promise<[number, TokenStream][]> {
  const { arrays, kind } = scheduler;
  if (!arrays) {
    throw new StreamError(
      "unsupported",
      `Cannot submit array: the ${kind} executor knows no job arrays, expected Slurm; call stream() for each task`,
    );
  }
  const script = await scheduler.readScript(start.config);
  const array = arrays.read(start.array, script);
  const shared = new ArrayLaunch(scheduler, { ...start, script, array });
  const runs = array.tasks.map((task) => {
    const run = new JobRun(scheduler, start.config);
    const stream = new TokenStream(run);
    run.open(shared.task(task));
    if (signal) cancelBy(signal, stream, run.ended);
    return { task, run, stream };
  });
  // a file that can't be removed opens nothing once the streams have ended
  shared.clear(Promise.all(runs.map(({ run }) => run.ended))).catch(() => {});
  return runs.map(({ task, stream }) => [task, stream]);
}
