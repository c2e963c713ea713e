/**
 * What Globus Compute says of a task, in words of ours.
 *
 * @module
 */
import type { ErrorCode } from "../../stream/error_code.ts";
import type { JobFate, JobReport } from "../job/job_report.ts";
import type { TaskStatus } from "./compute_service.ts";
import { decodeResult } from "./wire_format.ts";

/** Words for a task that a worker has. */
const ACTIVE = new Set(["execution-start", "running", "execution-end", "result-received"]);

/** Kinds of exception that tell more than that the task failed. */
const KINDS: readonly (readonly [RegExp, ErrorCode, string])[] = [
  [/AppTimeout/, "walltime", "The task ran into the endpoint's time limit"],
  [
    /(Worker|Manager|WorkerPool)Lost|BadStateException|ScaleOutFailed|WorkerPoolProcessDied/,
    "node_failure",
    "The worker under the task was lost",
  ],
  [/MemoryError/, "oom", "The task ran out of memory"],
];

/** How much of a traceback is kept, in characters. */
const TAIL = 8_192;

/** What our remote functions return. */
interface Answer {
  outcome?: "exit" | "walltime" | "over" | "abandoned" | "refused" | "returned" | "raised";
  /** Why the stream was over. */
  why?: string;
  exitCode?: number;
  signal?: number;
  stderr?: string;
  node?: string;
  kind?: string;
  message?: string;
}

/**
 * Where a task is, or how it ended.
 *
 * @param task What the service says.
 * @returns The report.
 * @example
 * ```ts
 * import { taskReport } from "./task_report.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(taskReport({ status: "waiting-for-ep" }), {
 *   phase: "pending",
 *   state: "waiting-for-ep",
 *   reason: "waiting-for-ep",
 * });
 * ```
 */
export function taskReport(task: TaskStatus): JobReport {
  const state = task.status ?? "unknown";
  switch (state.toLowerCase()) {
    case "success":
      return ended(state, fateOfResult(task.result));
    case "failed": {
      const { exception, reason, completion_t } = task;
      // an id that the service does not know is "failed", with a reason alone
      if (exception === undefined && completion_t === undefined) {
        return { phase: "unknown", state, ...(reason && { reason }) };
      }
      return ended(state, fateOfFailure(exception || reason || "it gave no reason"));
    }
  }
  return ACTIVE.has(state.toLowerCase())
    ? { phase: "active", state }
    : { phase: "pending", state, reason: state };
}

function ended(state: string, fate: JobFate): JobReport {
  const { node } = fate.details;
  return { phase: "ended", state, fate, ...(typeof node === "string" && { node }) };
}

function fateOfResult(result: string | undefined): JobFate {
  const answer = result === undefined ? undefined : answerOf(result);
  // a function that somebody else registered returns what it likes
  if (answer === undefined) return fate("completed", "The task completed");
  const { outcome, exitCode, signal, stderr, node, message = "no reason was given" } = answer;
  const details = {
    ...(signal !== undefined ? { signal } : exitCode !== undefined && { exitCode }),
    ...(stderr && { stderr }),
    ...(node && { node }),
  };
  switch (outcome) {
    case "walltime":
      return fate("walltime", "The job ran into its time limit", details);
    case "over":
      return answer.why === "cancelled"
        ? fate("cancelled", "The stream was cancelled before the task began; nothing was run", {
          ...details,
          cancelled: true,
        })
        : fate(
          "producer_lost",
          `The relay at jobUrl told the task that its stream is over (${answer.why}); nothing was run`,
          details,
        );
    case "abandoned":
      return fate("producer_lost", "The stream was over, and its job was ended for it", details);
    case "refused":
      return fate("job_failed", message, details);
    case "raised":
      return fateOfException(answer.kind ?? "", message, details);
    case "exit":
      return fateOfExit(answer, details);
  }
  return fate("completed", "The task completed", details);
}

function fateOfExit({ exitCode = 0, signal }: Answer, details: JobFate["details"]): JobFate {
  if (signal !== undefined) {
    return fate("job_failed", `The job was killed by signal ${signal}`, details);
  }
  if (exitCode === 0) return fate("completed", "The job completed", details);
  if (exitCode <= 128 || exitCode > 192) {
    return fate("job_failed", `The job ended with exit code ${exitCode}`, details);
  }
  // a shell's way to say that its program was killed
  return fate(
    "job_failed",
    `The job ended with exit code ${exitCode}: its program was killed by signal ${exitCode - 128}`,
    { ...details, signal: exitCode - 128 },
  );
}

function fateOfFailure(words: string): JobFate {
  const line = exceptionLine(words);
  return fateOfException(line.split(":")[0], `Globus Compute says: ${line}`, {
    stderr: words.trim().slice(-TAIL),
  });
}

function fateOfException(kind: string, message: string, details: JobFate["details"]): JobFate {
  const known = KINDS.find(([pattern]) => pattern.test(kind));
  if (!known) return fate("job_failed", message, details);
  const [, code, sentence] = known;
  return fate(code, `${sentence}: ${message}`, details);
}

function answerOf(result: string): Answer | undefined {
  try {
    const text = decodeResult(result);
    const answer = typeof text === "string" ? JSON.parse(text) : undefined;
    return answer?.streamrelay === 1 ? answer : undefined;
  } catch {
    return undefined;
  }
}

function fate(code: JobFate["code"], message: string, details: JobFate["details"] = {}): JobFate {
  return { code, message, details };
}

/** The line of a traceback that names the exception; the endpoint draws rules above and below. */
function exceptionLine(text: string): string {
  const lines = text.split("\n").filter((line) => !/^[-+=\s]*$/.test(line));
  return lines.findLast((line) => /^[A-Za-z_][\w.]*(:|$)/.test(line)) ?? lines.at(-1) ?? "";
}
