/**
 * What can be asked of Slurm, as arguments of `sbatch`.
 *
 * @module
 */
import { parseDirectives } from "../directives.ts";
import { OptionValues } from "../option_values.ts";
import type { TaskArray } from "../arrays/task_array.ts";
import { arrayValue } from "./slurm_array.ts";
import { type Ranks, rankSetup } from "./slurm_ranks.ts";

/** Resources and names of a Slurm job. What is given here wins over the script's `#SBATCH` lines. */
export interface SlurmOptions {
  /** Partition, or several with commas. */
  partition?: string;
  /** Generic resources, such as `"gpu:a100:1"`. */
  gres?: string;
  /**
   * Time limit: minutes, or Slurm's `"[days-]hours:minutes:seconds"`.
   *
   * @default The script's own; else `defaultTime`.
   */
  time?: string | number;
  /**
   * The time limit where neither an option nor the script gives one; it is announced in a `status`.
   * An empty text leaves it to the partition.
   *
   * @default {"1:00:00"}
   */
  defaultTime?: string;
  /** Account to charge. */
  account?: string;
  /** Quality of service. */
  qos?: string;
  /** Features of the node, such as `"a100&nvlink"`. */
  constraint?: string;
  /** Number of nodes, or a range such as `"2-4"`. */
  nodes?: number | string;
  /** Number of tasks. */
  tasks?: number;
  /** CPUs a task. */
  cpus?: number;
  /** Memory a node: megabytes, or `"16G"`. */
  memory?: number | string;
  /** The job's name; the script's file name unless given here or in the script. */
  name?: string;
  /** The job's output file; Slurm's own default, `slurm-%j.out` in `workdir`, unless given. */
  output?: string;
  /** The job's error file; the output file unless given. */
  error?: string;
  /** Further arguments of `sbatch`, each one element: `["--exclusive"]`. */
  extra?: readonly string[];
  /**
   * What the stream holds of tasks that the script starts with `srun`: `"merged"`, whole lines of all of
   * them; `"labelled"`, each with the task's number; `"first"`, what task 0 prints, as it comes.
   *
   * @default What srun does by itself: whole lines of all, unless the script says otherwise.
   */
  ranks?: Ranks;
  /** Job arrays are many streams: refused with a sentence; `streamAll()` takes them. */
  array?: never;
}

const OPTIONS: OptionValues = new OptionValues("Slurm");

/** Our names and Slurm's. */
const FLAGS = {
  partition: "partition",
  gres: "gres",
  time: "time",
  account: "account",
  qos: "qos",
  constraint: "constraint",
  nodes: "nodes",
  tasks: "ntasks",
  cpus: "cpus-per-task",
  memory: "mem",
  name: "job-name",
  output: "output",
  error: "error",
} as const;

const TIME = /^(\d+|\d+:\d{1,2}(:\d{1,2})?|\d+-\d+(:\d{1,2}){0,2}|UNLIMITED|INFINITE)$/i;
const REFUSED: Record<string, string> = {
  array: "a job array is many streams and not one; call streamAll(), which gives one for each task",
  wrap: "the script is given as the script",
  wait: "the stream tells when the job has ended",
  parsable: "it is always given",
};

/** Arguments of `sbatch`, and what has to be said about them. */
export interface SbatchArguments {
  /** One element an argument. */
  args: string[];
  /** What was decided for the user, in one sentence. */
  notice?: string;
}

/**
 * The arguments of `sbatch` for a job.
 *
 * @param options What was asked for.
 * @param script What the script says itself: its `#SBATCH` lines, or `undefined` where it can't be
 * read, and the name it would be called by.
 * @param array The tasks, of an array.
 * @returns The arguments, without any secret or prompt in them.
 * @throws {StreamError} `bad_request` for what can't be.
 * @example
 * ```ts
 * import { sbatchArguments } from "./slurm_options.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const { args } = sbatchArguments({ partition: "gpu", time: 10 }, { directives: [], name: "infer.sh" });
 * assertEquals(args, ["--partition=gpu", "--time=10", "--job-name=infer.sh"]);
 * ```
 */
export function sbatchArguments(
  options: SlurmOptions,
  script: { directives: readonly string[] | undefined; name: string },
  array?: Pick<TaskArray, "tasks" | "limit">,
): SbatchArguments {
  const given = { ...options } as Record<string, unknown>;
  const args: string[] = [];
  for (const [name, flag] of Object.entries(FLAGS)) {
    const value = given[name];
    if (value === undefined) continue;
    args.push(`--${flag}=${checked(name, value)}`);
  }
  const extra = OPTIONS.list("extra", given.extra);
  const own = script.directives;
  const said = new Set(
    parseDirectives([...own ?? [], `#SBATCH ${extra.join(" ")}`])
      .map(({ name }) => name),
  );
  if (array) {
    args.push(`--array=${arrayValue(array)}`);
    // the one just given wins
    said.delete("array");
  }
  if (given.array !== undefined) said.add("array");
  rankSetup(options.ranks);
  for (const [name, why] of Object.entries(REFUSED)) {
    if (said.has(name)) OPTIONS.refuse(name, why);
  }
  const has = (name: keyof typeof FLAGS) => given[name] !== undefined || said.has(FLAGS[name]);

  let notice: string | undefined;
  const byDefault = given.defaultTime ?? "1:00:00";
  // a script that can't be read from here may well say it itself, and arguments would win over it
  if (own && byDefault !== "" && !has("time")) {
    const time = checked("time", byDefault);
    args.push(`--time=${time}`);
    notice = `No time limit was given, so ${time} was asked for`;
  }
  if (own && !has("name")) args.push(`--job-name=${script.name}`);
  return { args: [...args, ...extra], ...(notice && { notice }) };
}

function checked(name: string, value: unknown): string {
  if (typeof value === "number" || name === "tasks" || name === "cpus") {
    return OPTIONS.count(name, value);
  }
  const text = OPTIONS.text(name, value);
  if (name !== "time" || TIME.test(text)) return text;
  return OPTIONS.refuse(
    name,
    `it is ${JSON.stringify(text)}, expected minutes or "[days-]hours:minutes:seconds"`,
  );
}
