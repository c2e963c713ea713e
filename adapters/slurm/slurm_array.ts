/**
 * Job arrays of Slurm.
 *
 * @module
 */
import { StreamError } from "../../stream/stream_error.ts";
import { parseDirectives } from "../directives.ts";
import type { JobArrays } from "../arrays/job_arrays.ts";
import { parseTaskArray, type TaskArray } from "../arrays/task_array.ts";
import type { SlurmConfig } from "./slurm_executor.ts";
import { slurmOutput } from "./slurm_output.ts";

/**
 * How Slurm's arrays are read, and what their tasks are called: `123_4`.
 *
 * @param folder Where jobs are submitted from.
 * @returns What an executor needs of arrays.
 * @example
 * ```ts
 * import { slurmArrays } from "./slurm_array.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const script = { directives: ["#SBATCH --array=1-3%2"], name: "infer.sh", program: { text: "" } };
 * assertEquals(slurmArrays("/home/u").read(undefined, script).tasks, [1, 2, 3]);
 * ```
 */
export function slurmArrays(folder: string): JobArrays<SlurmConfig> {
  return {
    read(given, { directives }) {
      const said = parseDirectives([...directives ?? []])
        .findLast(({ name }) => name === "array")?.value;
      const text = given ?? said;
      if (text === undefined) {
        throw new StreamError(
          "bad_request",
          'Cannot submit array: no tasks were given, expected the option array: "0-9", or #SBATCH --array in the script',
        );
      }
      return parseTaskArray(text);
    },
    task({ jobId, notice }, task, { config, script }) {
      const id = `${jobId}_${task}`;
      const output = slurmOutput(id, config, script.directives, folder);
      const errors = slurmOutput(id, config, script.directives, folder, "error");
      return {
        jobId: id,
        ...(notice && { notice }),
        ...(output && { output }),
        ...(errors && { errors }),
      };
    },
  };
}

/**
 * The tasks that one line of Slurm's is about: those of an array that wait together are told together.
 *
 * @param id An id as `squeue` and `sacct` print it.
 * @returns The id of each task; the id itself where it is one job, or more tasks than Slurm writes out.
 * @example
 * ```ts
 * import { taskIds } from "./slurm_array.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(taskIds("12_[0-1,7%2]"), ["12_0", "12_1", "12_7"]);
 * assertEquals(taskIds("12"), ["12"]);
 * ```
 */
export function taskIds(id: string): string[] {
  const [, array, tasks] = /^(\d+)_\[([\d,:%-]+)\]$/.exec(id) ?? [];
  if (tasks === undefined) return [id];
  try {
    return parseTaskArray(tasks).tasks.map((task) => `${array}_${task}`);
  } catch {
    // an array of somebody else's, larger than ours can be
    return [id];
  }
}

/**
 * Tasks as `sbatch --array` takes them.
 *
 * @param array The tasks, and how many may run at a time.
 * @returns The option's value; ranges are joined, so that it stays short.
 * @example
 * ```ts
 * import { arrayValue } from "./slurm_array.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(arrayValue({ tasks: [0, 1, 2, 7], limit: 2 }), "0-2,7%2");
 * ```
 */
export function arrayValue({ tasks, limit }: Pick<TaskArray, "tasks" | "limit">): string {
  const ranges: [number, number][] = [];
  for (const task of tasks) {
    const last = ranges.at(-1);
    if (last && last[1] === task - 1) last[1] = task;
    else ranges.push([task, task]);
  }
  const list = ranges.map(([first, last]) => first === last ? `${first}` : `${first}-${last}`);
  return list.join(",") + (limit === undefined ? "" : `%${limit}`);
}
