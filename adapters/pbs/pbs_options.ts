/**
 * What can be asked of PBS, as arguments of `qsub`.
 *
 * @module
 */
import { parseDirectives } from "../directives.ts";
import { OptionValues } from "../option_values.ts";

/** Resources and names of a PBS job. What is given here wins over the script's `#PBS` lines. */
export interface PbsOptions {
  /** Queue. */
  queue?: string;
  /** What to ask for, in PBS's own words: `"2:ncpus=8:ngpus=1"`; instead of the five below. */
  select?: string;
  /** Number of nodes (chunks); 1 unless given. */
  nodes?: number;
  /** CPUs a node. */
  cpus?: number;
  /** GPUs a node. */
  gpus?: number;
  /** MPI processes a node. */
  tasks?: number;
  /** Memory a node: megabytes, or `"16G"`. */
  memory?: number | string;
  /** How the nodes are to lie: `"scatter:excl"`. */
  place?: string;
  /**
   * Time limit: minutes, or `"[days-]hours:minutes:seconds"`.
   *
   * @default The script's own; else `defaultTime`.
   */
  time?: string | number;
  /**
   * The time limit where neither an option nor the script gives one; it is announced in a `status`.
   * An empty text leaves it to the queue.
   *
   * @default {"1:00:00"}
   */
  defaultTime?: string;
  /** Account to charge. */
  account?: string;
  /** Project. */
  project?: string;
  /** The job's name; the script's file name unless given here or in the script. */
  name?: string;
  /** The job's output file, written while the job runs; `<name>.o<number>` at its end unless given. */
  output?: string;
  /** The job's error file; the output file unless given. */
  error?: string;
  /**
   * `qsub -k` for a job with an output file: `"oed"` has nodes write it at once. Empty where a site's
   * PBS does not know that.
   *
   * @default {"oed"}
   */
  keep?: string;
  /** Further arguments of `qsub`, each one element: `["-m", "n"]`. */
  extra?: readonly string[];
  /** Job arrays are not streams: refused with a sentence. */
  array?: never;
}

/** Arguments of `qsub`, and what has to be said about them. */
export interface QsubArguments {
  /** One element an argument. */
  args: string[];
  /** What was decided for the user, in one sentence. */
  notice?: string;
}

const OPTIONS: OptionValues = new OptionValues("PBS");

/** Our names and those of `qsub`. */
const FLAGS = {
  queue: "q",
  account: "A",
  project: "P",
  name: "N",
  output: "o",
  error: "e",
} as const;

/** What makes a chunk, and what it is called there. */
const CHUNK = { cpus: "ncpus", gpus: "ngpus", tasks: "mpiprocs", memory: "mem" } as const;

const REFUSED: Record<string, string> = {
  J: "a job array is many streams and not one; call stream() for each",
  I: "a job at a terminal has no stream; expected a batch job",
  X: "a job at a terminal has no stream; expected a batch job",
  z: "the job's id is needed",
  C: "directives begin with #PBS",
  S: "the job's own script is bash's; a shebang chooses what runs yours",
};

/**
 * The arguments of `qsub` for a job.
 *
 * @param options What was asked for.
 * @param script What the script says itself: its `#PBS` lines, or `undefined` where it can't be read,
 * and the name it would be called by.
 * @returns The arguments, without any secret or prompt in them.
 * @throws {StreamError} `bad_request` for what can't be.
 * @example
 * ```ts
 * import { qsubArguments } from "./pbs_options.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const { args } = qsubArguments({ cpus: 4, time: 90 }, { directives: [], name: "infer.sh" });
 * assertEquals(args.slice(0, 4), ["-l", "select=1:ncpus=4", "-l", "walltime=1:30:00"]);
 * ```
 */
export function qsubArguments(
  options: PbsOptions,
  script: { directives: readonly string[] | undefined; name: string },
): QsubArguments {
  const given = { ...options } as Record<string, unknown>;
  const own = script.directives;
  const extra = OPTIONS.list("extra", given.extra);
  const theirs = parseDirectives([`#PBS ${extra.join(" ")}`]);
  const said = [...parseDirectives([...own ?? []]), ...theirs];
  const says = (letter: string) => said.some(({ name }) => name === letter);
  refuseForms(given, said, theirs);

  const args: string[] = [];
  for (const [name, letter] of Object.entries(FLAGS)) {
    if (given[name] !== undefined) args.push(`-${letter}`, OPTIONS.text(name, given[name]));
  }
  const select = selectOf(given);
  if (select !== undefined) args.push("-l", `select=${select}`);
  if (given.place !== undefined) args.push("-l", `place=${OPTIONS.text("place", given.place)}`);

  let notice: string | undefined;
  const byDefault = given.defaultTime ?? "1:00:00";
  const limited = said.some(({ name, value }) => name === "l" && /\bwalltime=/.test(value ?? ""));
  if (given.time !== undefined) {
    args.push("-l", `walltime=${wallTime(given.time)}`);
  } else if (own && byDefault !== "" && !limited) {
    // a script that can't be read from here may well say it itself, and arguments would win over it
    const time = wallTime(byDefault);
    args.push("-l", `walltime=${time}`);
    notice = `No time limit was given, so ${time} was asked for`;
  }
  if (own && given.name === undefined && !says("N")) args.push("-N", nameOf(script.name));
  if (given.error === undefined && !says("e") && !says("j")) args.push("-j", "oe");
  const keep = given.keep === "" ? "" : OPTIONS.text("keep", given.keep ?? "oed");
  if (keep !== "" && (given.output !== undefined || says("o")) && !says("k")) {
    args.push("-k", keep);
  }
  // a login shell of another kind would otherwise get bash's script
  args.push("-S", "/bin/bash", ...extra);
  return { args, ...(notice && { notice }) };
}

function refuseForms(
  given: Record<string, unknown>,
  said: readonly { name: string; value?: string }[],
  theirs: readonly { name: string }[],
): void {
  if (given.array !== undefined) OPTIONS.refuse("array", REFUSED.J);
  for (const { name, value } of said) {
    // a script's own shell is for the script, which is run by its shebang
    if (name === "S" && !theirs.some((option) => option.name === "S")) continue;
    if (name in REFUSED) OPTIONS.refuse(`-${name}`, REFUSED[name]);
    if (name === "W" && /\bblock=true/i.test(value ?? "")) {
      OPTIONS.refuse("-W block", "the stream tells when the job has ended");
    }
  }
}

function selectOf(given: Record<string, unknown>): string | undefined {
  const parts = Object.keys(CHUNK).filter((name) => given[name] !== undefined);
  const asked = given.nodes !== undefined || parts.length > 0;
  if (given.select !== undefined) {
    if (asked) {
      OPTIONS.refuse("select", "nodes, cpus, gpus, tasks or memory is given too, expected either");
    }
    return OPTIONS.text("select", given.select);
  }
  if (!asked) return undefined;
  const nodes = given.nodes === undefined ? "1" : OPTIONS.count("nodes", given.nodes);
  const chunk = parts.map((name) => {
    const value = given[name];
    const amount = name === "memory" ? memory(value) : OPTIONS.count(name, value);
    return `:${CHUNK[name as keyof typeof CHUNK]}=${amount}`;
  });
  return nodes + chunk.join("");
}

/** Megabytes, or an amount with its unit. */
function memory(value: unknown): string {
  if (typeof value === "number") return `${OPTIONS.count("memory", value)}mb`;
  const text = OPTIONS.text("memory", value);
  const [, amount, unit] = /^(\d+)([KMGT]?)B?$/i.exec(text) ??
    OPTIONS.refuse("memory", `it is ${JSON.stringify(text)}, expected megabytes or "16G"`);
  return `${amount}${unit.toLowerCase() || "m"}b`;
}

/** A number alone is minutes, as for Slurm; to PBS it would be seconds. */
function wallTime(value: unknown): string {
  const text = typeof value === "number"
    ? OPTIONS.count("time", value)
    : OPTIONS.text("time", value);
  const [, days = "0", clock] = /^(?:(\d+)-)?(\d+(?::\d{1,2}){0,2})$/.exec(text) ??
    OPTIONS.refuse(
      "time",
      `it is ${JSON.stringify(value)}, expected minutes or "[days-]hours:minutes:seconds"`,
    );
  const parts = clock.split(":").map(Number);
  // "days-hours[:minutes[:seconds]]", but "minutes[:seconds]" and "hours:minutes:seconds"
  if (text.includes("-") || parts.length === 3) { while (parts.length < 3) parts.push(0); }
  else while (parts.length < 3) parts.length === 1 ? parts.push(0) : parts.unshift(0);
  const [hours, minutes, seconds] = parts;
  const total = ((Number(days) * 24 + hours) * 60 + minutes) * 60 + seconds;
  const two = (n: number) => String(n).padStart(2, "0");
  return `${Math.floor(total / 3600)}:${two(Math.floor(total / 60) % 60)}:${two(total % 60)}`;
}

/** A name that PBS takes: it must not begin with a dot. */
function nameOf(script: string): string {
  return script.replace(/^[^A-Za-z0-9_+-]+/, "_").slice(0, 230);
}
