/**
 * What `qstat` prints, read.
 *
 * @module
 */
import { StreamError } from "../../stream/stream_error.ts";
import type { JobFate, JobReport } from "../job/job_report.ts";

/** As much of a job as is looked at. */
interface QstatJob {
  job_state?: string;
  substate?: number | string;
  Exit_status?: number | string;
  comment?: string;
  exec_host?: string;
  run_count?: number | string;
  estimated?: { start_time?: number | string };
}

const PENDING = new Set(["Q", "H", "W", "T", "M"]);
const WAITING: Record<string, string> = {
  H: "Held",
  W: "Waiting for its time",
  T: "On its way to another place",
  M: "Moved to another server",
};

/** What PBS ends a job with instead of its own exit code. */
const KILLED: Record<number, [JobFate["code"], string]> = {
  [-29]: ["walltime", "The job ran into its time limit"],
  [-28]: ["walltime", "The job used up its CPU time"],
  [-27]: ["oom", "The job used more memory than it had asked for"],
  [-26]: ["oom", "The job used more virtual memory than it had asked for"],
  [-25]: ["job_failed", "PBS killed the job: it used more CPUs than it had asked for"],
  [-24]: ["job_failed", "PBS killed the job: it used more CPUs than it had asked for"],
};

/** The substate of a job that was deleted. */
const DELETED = 91;

/**
 * Reads the answer to `qstat -x -f -F json`.
 *
 * @param text What qstat printed.
 * @returns Reports by job id, in full and without the server's name.
 * @throws {StreamError} `upstream` for what can't be read.
 * @example
 * ```ts
 * import { parseQstat } from "./pbs_states.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const text = '{"Jobs":{"7.server":{"job_state":"F","substate":93,"Exit_status":7}}}';
 * assertEquals(parseQstat(text).get("7.server")?.fate?.details.exitCode, 7);
 * ```
 */
export function parseQstat(text: string): Map<string, JobReport> {
  const reports = new Map<string, JobReport>();
  for (const [id, job] of Object.entries(jobsIn(text))) {
    const report = reportOf(job);
    reports.set(id, report);
    reports.set(id.split(".")[0], report);
  }
  return reports;
}

function jobsIn(text: string): Record<string, QstatJob> {
  if (text.trim() === "") return {};
  // older versions leave quotes and backslashes in variables as they are; none of them is looked at
  const spared = text.replace(
    /^\s*"(Variable_List|Submit_arguments)":\s*(\{[^]*?^\s*\},?$|.*$)/gm,
    "",
  )
    .replace(/,(\s*\})/g, "$1");
  for (const one of [text, spared]) {
    try {
      const { Jobs = {} } = JSON.parse(one);
      return Jobs;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  throw new StreamError(
    "upstream",
    `Cannot read what qstat printed: expected JSON, got ${JSON.stringify(text.slice(0, 80))}`,
  );
}

function reportOf(job: QstatJob): JobReport {
  const state = job.job_state ?? "";
  const ended = state === "F" || state === "X";
  const phase = ended ? "ended" : PENDING.has(state) ? "pending" : "active";
  const report: JobReport = { phase, state };
  const reason = [WAITING[state], job.comment].filter(Boolean).join(": ");
  if (reason) report.reason = reason;
  const nodes = job.exec_host?.split("+").map((host) => host.split("/")[0]) ?? [];
  const node = [...new Set(nodes)].join(",");
  if (node) report.node = node;
  const runs = Number(job.run_count ?? 0);
  const restarts = phase === "pending" ? runs : runs - 1;
  if (restarts > 0) report.restarts = restarts;
  if (phase === "pending") {
    const start = job.estimated?.start_time;
    const eta = typeof start === "number" ? start * 1000 : Date.parse(start ?? "");
    if (!Number.isNaN(eta)) report.eta = eta;
    if (/^can never run/i.test(job.comment ?? "")) report.neverStartable = true;
  }
  if (phase === "ended") report.fate = pbsFate(job, node);
  return report;
}

function pbsFate(job: QstatJob, node: string): JobFate {
  const { comment } = job;
  const substate = Number(job.substate);
  const status = job.Exit_status === undefined ? undefined : Number(job.Exit_status);
  const details: Record<string, unknown> = { state: `${job.job_state}/${job.substate ?? ""}` };
  if (comment) details.reason = comment;
  if (node) details.node = node;
  const fate = (code: JobFate["code"], message: string): JobFate => ({ code, message, details });

  if (status !== undefined && status in KILLED) return fate(...KILLED[status]);
  if (/preempt/i.test(comment ?? "") && status !== 0) {
    return fate("preempted", "The job was stopped for one of higher priority");
  }
  if (substate === DELETED) {
    return fate("job_cancelled", "The job was cancelled by somebody else (qdel)");
  }
  if (/\bnode\b.*\b(fail|down|lost)/i.test(comment ?? "") && status !== 0) {
    return fate("node_failure", `The node under the job failed: ${comment}`);
  }
  if (status === undefined || status < 0) {
    return fate(
      "job_failed",
      `PBS could not run the job (Exit_status ${status ?? "unknown"})${
        comment ? `: ${comment}` : ""
      }; expected an account and files that the node knows`,
    );
  }
  // what PBS killed is told as 256 + signal, what was killed in the job as a shell tells it
  const signal = status >= 256 ? status - 256 : status > 128 && status <= 192 ? status - 128 : 0;
  if (signal === 0) details.exitCode = status;
  else details.signal = signal;
  if (signal !== 0 && /mem\w*\b.*\bexceed|out of memory/i.test(comment ?? "")) {
    return fate("oom", "The job used more memory than it had asked for");
  }
  if (status === 0) return fate("completed", "The job completed");
  return fate(
    "job_failed",
    signal === 0
      ? `The job ended with exit code ${status}`
      : `The job was killed by signal ${signal}`,
  );
}
