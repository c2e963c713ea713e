/**
 * What `sacct` prints, read: it knows jobs that `squeue` has forgotten, who cancelled one, and how its
 * steps ended.
 *
 * @module
 */
import type { JobReport } from "../job/job_report.ts";
import { taskIds } from "./slurm_array.ts";
import { isEnded, slurmFate } from "./slurm_states.ts";

/** The value for `sacct -n -P -o` that {@linkcode parseSacct} reads. */
export const SACCT_FORMAT = "JobID,State,ExitCode,UID,NodeList,Reason";

/**
 * Reads the answer to `sacct -n -P -j … -o` with {@linkcode SACCT_FORMAT}.
 *
 * @param text What sacct printed; of a job that was requeued that is its latest run.
 * @returns Reports by job id, of those alone that have ended: the accounting lags behind, and keeps jobs
 * for running that a controller has lost.
 * @example
 * ```ts
 * import { parseSacct } from "./slurm_accounting.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const fate = parseSacct("7|CANCELLED by 0|0:15|1001|n1|None\n").get("7")?.fate;
 * assertEquals(fate?.message, "The job was cancelled by an administrator of the cluster (uid 0)");
 * ```
 */
export function parseSacct(text: string): Map<string, JobReport> {
  const reports = new Map<string, JobReport>();
  const outOfMemory = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [id = "", told = "", exit = "", owner = "", nodes = "", ...rest] = line.split("|");
    const [state] = told.split(" ");
    const step = id.indexOf(".");
    if (step >= 0) {
      if (state === "OUT_OF_MEMORY") outOfMemory.set(id.slice(0, step), id);
      continue;
    }
    if (!isEnded(state)) continue;
    const reason = rest.join("|");
    const report: JobReport = { phase: "ended", state };
    if (reason && reason !== "None") report.reason = reason;
    // a job that never had one is said to have "None assigned"
    if (nodes && !nodes.startsWith("None")) report.node = nodes;
    const [code = 0, signal = 0] = exit.split(":").map(Number);
    const fate = slurmFate(state, code * 256 + signal, report.reason, report.node);
    const by = /\bby (\d+)/.exec(told)?.[1];
    if (fate.code === "job_cancelled" && by !== undefined) {
      fate.details.cancelledBy = Number(by);
      fate.message = by === owner
        ? "The job was cancelled by its owner (scancel)"
        // nobody else is allowed to
        : `The job was cancelled by an administrator of the cluster (uid ${by})`;
    }
    report.fate = fate;
    for (const task of taskIds(id)) reports.set(task, report);
  }
  for (const [id, step] of outOfMemory) {
    const report = reports.get(id);
    if (report?.fate?.code !== "job_failed") continue;
    report.fate = {
      code: "oom",
      message: `The job used more memory than it had asked for (in its step ${step})`,
      details: report.fate.details,
    };
  }
  return reports;
}

/**
 * Joins what the accounting knows to what the controller says.
 *
 * @param said The controller's report of a job that has ended; `undefined` where it forgot it.
 * @param known The accounting's.
 * @returns Both in one; the controller is right where they differ.
 */
export function withAccount(said: JobReport | undefined, known: JobReport): JobReport {
  if (said === undefined) return known;
  if (said.state !== known.state || said.fate === undefined) return said;
  const { code, message, details } = known.fate!;
  return { ...said, fate: { code, message, details: { ...details, ...said.fate.details } } };
}
