/**
 * What the stand-in's programs share: jobs as folders, and the words of the real ones.
 *
 * @module
 */

/** A job, as `qstat -f` shows it, and what its runner needs. */
export interface Job {
  /** What qstat shows. */
  shown: Record<string, unknown>;
  /** Where it was submitted from. */
  folder: string;
  /** Its environment. */
  env: Record<string, string>;
  /** Seconds it may run. */
  walltime?: number;
  /** Bytes it may have. */
  memory?: number;
  /** Output and error files; an error file that is missing is the output file. */
  output: string;
  error?: string;
  /** Whether its files are written at once, or copied at its end. */
  live: boolean;
  /** The process that runs it. */
  runner?: number;
}

/** The server's name. */
export const SERVER = "pbshost";
/** CPUs of its only node. */
export const CPUS = 8;

/** Exit codes: the low bytes of PBS's errors. */
export const UNKNOWN = 153, FINISHED = 35, NO_HISTORY = 36, UNKNOWN_QUEUE = 170;

const root = Deno.env.get("PBS_STAND_IN") ?? fail(1, "pbs: cannot connect to server (errno=15010)");

/** Ends the program with a sentence. */
export function fail(code: number, words: string): never {
  console.error(words);
  Deno.exit(code);
}

/** The file or folder of that name. */
export function at(name: string): string {
  return `${root}/${name}`;
}

/** Whether a file is there: a switch that a test has set. */
export function isSet(name: string): boolean {
  try {
    Deno.statSync(at(name));
    return true;
  } catch {
    return false;
  }
}

/** Takes the next number. */
export function nextNumber(): number {
  for (let number = 1;; number++) {
    try {
      Deno.mkdirSync(at(`jobs/${number}`));
      return number;
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }
}

/** All numbers, in order. */
export function numbers(): number[] {
  return [...Deno.readDirSync(at("jobs"))].map(({ name }) => Number(name)).sort((a, b) => a - b);
}

/** The number in an id; NaN for one of another server. */
export function numberOf(id: string): number {
  const [number, server] = id.split(".");
  return server === undefined || server === SERVER ? Number(number) : NaN;
}

/** Reads a job. */
export function readJob(number: number): Job | undefined {
  try {
    return JSON.parse(Deno.readTextFileSync(at(`jobs/${number}/job.json`)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Writes a job, all of it or nothing. */
export function writeJob(number: number, job: Job): void {
  const path = at(`jobs/${number}/job.json`);
  const draft = `${path}.${crypto.randomUUID()}`;
  Deno.writeTextFileSync(draft, JSON.stringify(job));
  Deno.renameSync(draft, path);
}

/** Has a job run, in a process of its own. */
export function startJob(number: number): void {
  new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("mom.ts", import.meta.url).pathname, String(number)],
    stdin: "null",
    stdout: "null",
    stderr: "null",
    detached: true,
  }).spawn().unref();
}

/** Notes a call, for tests that count them. */
export function noteCall(program: string): void {
  Deno.writeTextFileSync(at("calls"), [program, ...Deno.args].join(" ") + "\n", { append: true });
}
