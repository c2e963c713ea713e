/**
 * Finds the verdict on a job that did not say `done`.
 *
 * @module
 */
import type { ErrorCode } from "../../stream/error_code.ts";
import { isErrorCode } from "../../stream/error_code.ts";
import type { ErrorEvent, StatusEvent } from "../../stream/event.ts";
import type { JobReport } from "./job_report.ts";
import { WRAPPER_EXITS } from "./job_script.ts";
import { tellsOutOfMemory } from "./memory_words.ts";
import { wrapperWords } from "./wrapper_words.ts";

/** Exit codes of a job whose program was not run, and whose wrapper says why. */
const OUR_EXITS = Object.values(WRAPPER_EXITS).filter((exit) => exit !== WRAPPER_EXITS.cancelled);

/** The failing end of a stream, as it is set. */
export type Verdict = Pick<ErrorEvent, "code" | "message" | "details">;

/** What the job's own script said before it went. */
export interface LastWords {
  /** The code it ended with. */
  code: ErrorCode;
  /** Its sentence. */
  message: string;
  /** `exitCode`, `signal`, `stderr`, `node`. */
  details: Record<string, unknown>;
  /** Whether the relay has read them, so that nothing is kept from it. */
  inClear?: boolean;
}

/** What the relay tells of the producer. */
export type ProducerStatus = { state: string } & Record<string, unknown>;

/** What is known apart from the scheduler's answer. */
export interface Knowledge {
  /** The scheduler's id. */
  jobId?: string;
  /** Whether a producer ever came. */
  connected: boolean;
  /** What the job's script reported, if it could. */
  lastWords?: LastWords;
  /** Whether it was to write into a spool. */
  spooled?: boolean;
  /** The end of the job's output file, where it can be read. */
  output?: string;
}

/**
 * What a job's script reported, from the status that the relay made of it.
 *
 * @param status A `failing` status.
 * @returns Code, message, facts; `job_failed` where no known code is given.
 * @example
 * ```ts
 * import { lastWordsOf } from "./fate.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const words = lastWordsOf({ state: "failing", details: { exitCode: 7 } });
 * assertEquals(words.message, "The job's program ended with exit code 7");
 * ```
 */
export function lastWordsOf(status: ProducerStatus): LastWords {
  const details = isRecord(status.details) ? { ...status.details } : {};
  const code = [status.code, details.code].find(isErrorCode) ?? "job_failed";
  delete details.code;
  const given = [status.message, details.message, status.reason]
    .find((text): text is string => typeof text === "string" && text !== "");
  delete details.message;
  return { code, message: given ?? describe(details), details };
}

/**
 * Whether the scheduler should be asked before a job's own words are believed: a signal comes from
 * somewhere (a time limit, an operator, the kernel), and only the scheduler knows from where.
 *
 * @param words What the script reported.
 * @returns `true` for a signal, also in a shell's form 128 + n.
 * @example
 * ```ts
 * import { isSignalled } from "./fate.ts";
 * import { assert } from "@std/assert";
 *
 * assert(isSignalled({ code: "job_failed", message: "", details: { signal: 9 } }));
 * assert(!isSignalled({ code: "job_failed", message: "", details: { exitCode: 7 } }));
 * ```
 */
export function isSignalled(words: LastWords): boolean {
  if (words.code !== "job_failed") return false;
  const { signal, exitCode } = words.details;
  if (signal !== undefined && signal !== 0) return true;
  return typeof exitCode === "number" && exitCode > 128 && exitCode <= 192;
}

/**
 * The verdict on a job that failed or went silent.
 *
 * @param report What the scheduler says.
 * @param known What else is known.
 * @returns The verdict; `undefined` while the job is still there, so that it has to be asked again.
 * @example
 * ```ts
 * import { judge } from "./fate.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const verdict = judge({ phase: "unknown", state: "UNKNOWN" }, { jobId: "7", connected: true });
 * assertEquals(verdict?.code, "producer_lost");
 * ```
 */
export function judge(
  report: JobReport,
  known: Knowledge,
): Verdict | undefined {
  if (report.phase === "pending" || report.phase === "active") return undefined;
  const { lastWords, jobId } = known;
  const details: Record<string, unknown> = { ...report.fate?.details };
  if (jobId) details.jobId = jobId;
  if (known.output && !lastWords?.details.stderr) details.output = known.output;
  Object.assign(details, lastWords?.details);
  const why = known.connected || lastWords ? undefined : wrapperWords(known.output ?? "");

  if (report.fate && report.fate.code !== "completed") {
    const { code, message } = report.fate;
    const signalled = details.signal !== undefined;
    if (code === "job_failed" && signalled && tellsOutOfMemory(known.output ?? "")) {
      return { code: "oom", message: "The job used more memory than it had asked for", details };
    }
    // the script knows best what its program did, the scheduler what was done to it
    if (code === "job_failed" && lastWords) return { code, message: lastWords.message, details };
    const isOurs = OUR_EXITS.some((exit) => exit === details.exitCode);
    return { code, message: why && isOurs ? `${message}: ${why}` : message, details };
  }
  if (lastWords) {
    return { code: lastWords.code, message: lastWords.message, details };
  }
  const what = report.phase === "unknown"
    ? `the scheduler has forgotten job ${jobId}`
    : "the scheduler says it completed";
  return {
    code: "producer_lost",
    message: known.connected
      ? `The job went silent without saying how its stream ended; ${what}`
      : known.spooled
      ? `Nothing of the job was ever in its spool; ${what}. Expected the node to share spoolFolder`
      : `Nothing of the job ever reached the relay${why ? ` (${why})` : ""}; ${what}. ` +
        "Expected the node to reach the relay's jobUrl",
    details,
  };
}

/**
 * The verdict on a job that said itself how it failed.
 *
 * @param words What it said.
 * @param jobId The scheduler's id, where there is one.
 * @returns The verdict.
 * @example
 * ```ts
 * import { lastWordsOf, verdictOf } from "./fate.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const words = lastWordsOf({ state: "failing", details: { exitCode: 7 } });
 * assertEquals(verdictOf(words, "42").details, { exitCode: 7, jobId: "42" });
 * ```
 */
export function verdictOf({ code, message, details }: LastWords, jobId?: string): Verdict {
  return { code, message, details: { ...details, ...(jobId && { jobId }) } };
}

/**
 * What of a verdict may stand in a channel that is encrypted end to end, where the relay reads it:
 * nothing that the program printed.
 *
 * @param verdict The verdict.
 * @param words What the job's script reported; its sentence may quote the program.
 * @returns The verdict without output.
 * @example
 * ```ts
 * import { publicPart } from "./fate.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const words = { code: "job_failed", message: "Exit 7: a secret", details: {} } as const;
 * const verdict = { ...words, details: { exitCode: 7, stderr: "a secret" } };
 * assertEquals(publicPart(verdict, words), {
 *   code: "job_failed",
 *   message: "The job's program ended with exit code 7",
 *   details: { exitCode: 7 },
 * });
 * ```
 */
export function publicPart(
  { code, message, details }: Verdict,
  words?: LastWords,
): Verdict {
  const { stderr: _stderr, output: _output, ...rest } = details ?? {};
  return {
    code,
    message: words?.message === message && !words.inClear ? describe(rest) : message,
    details: rest,
  };
}

/**
 * The status that tells where a job is.
 *
 * @param report What the scheduler says of a job that has not ended.
 * @param jobId The scheduler's id.
 * @returns `queued` or `starting`, with what the scheduler tells.
 * @example
 * ```ts
 * import { statusOf } from "./fate.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const report = { phase: "pending", state: "PENDING", reason: "Priority" } as const;
 * assertEquals(statusOf(report, "7").reason, "Priority");
 * ```
 */
export function statusOf(report: JobReport, jobId: string): StatusEvent {
  const { reason, position, eta, node, restarts } = report;
  return {
    type: "status",
    state: report.phase === "pending" ? "queued" : "starting",
    jobId,
    ...(reason !== undefined && { reason }),
    ...(position !== undefined && { position }),
    ...(eta !== undefined && { eta }),
    ...(node !== undefined && { node }),
    ...(restarts !== undefined && { attempt: restarts + 1 }),
  };
}

/**
 * What to say of a job that runs and is not heard of.
 *
 * @param spooled Whether it is to write into a spool.
 * @returns A question that most often leads to the reason.
 */
export function silentHint(spooled: boolean): string {
  return spooled
    ? "The job runs, but nothing of it is in its spool yet; does its node share spoolFolder?"
    : "The job runs, but nothing of it has reached the relay yet; can its node reach the relay's jobUrl?";
}

function describe(details: Record<string, unknown>): string {
  if (details.signal !== undefined) {
    return `The job's program was killed by signal ${details.signal}`;
  }
  return details.exitCode !== undefined
    ? `The job's program ended with exit code ${details.exitCode}`
    : "The job failed";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
