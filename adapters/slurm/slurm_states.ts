/**
 * What `squeue` prints, read.
 *
 * @module
 */
import type { JobFate, JobReport } from "../job/job_report.ts";

/** Columns and widths of the question; wide enough that nothing is cut off that matters. */
const COLUMNS = [
  // 123, or 123_4 for a task of an array
  ["JobArrayID", 24],
  ["State", 24],
  ["Reason", 120],
  ["exit_code", 16],
  ["NodeList", 240],
  ["StartTime", 32],
  ["RestartCnt", 12],
  ["Partition", 240],
] as const;

/** The value for `squeue -O` that {@linkcode parseSqueue} reads. */
export const SQUEUE_FORMAT: string = COLUMNS
  .map(([name, width]) => `${name}:${width}`).join(",");

/** Reasons that no waiting cures, as long as the partition is up. */
const NEVER = new Set([
  "DependencyNeverSatisfied",
  "BadConstraints",
  "PartitionTimeLimit",
  "PartitionConfig",
]);

const PENDING = new Set([
  "PENDING",
  "REQUEUED",
  "REQUEUE_HOLD",
  "REQUEUE_FED",
  "SPECIAL_EXIT",
  "RESV_DEL_HOLD",
]);

const ENDED = new Set([
  "COMPLETED",
  "FAILED",
  "TIMEOUT",
  "DEADLINE",
  "CANCELLED",
  "REVOKED",
  "NODE_FAIL",
  "BOOT_FAIL",
  "OUT_OF_MEMORY",
  "PREEMPTED",
]);

/** Reasons of jobs that wait for something else than their turn. */
const BY_ITSELF =
  /^(JobHeld|Dependency|BeginTime|JobArrayTaskLimit|Partition|BadConstraints)|held$/;

/** A report with the partitions the job may run in. */
export interface SlurmReport extends JobReport {
  /** Names of partitions. */
  partitions: string[];
}

/**
 * Reads the answer to `squeue -h -t all -j … -O` with {@linkcode SQUEUE_FORMAT}.
 *
 * @param text What squeue printed.
 * @returns Reports by job id. `neverStartable` is set by the reason alone; whether the partition is up
 * has to be asked for.
 * @example
 * ```ts
 * import { parseSqueue } from "./slurm_states.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const line = "7".padEnd(24) + "FAILED".padEnd(24) + "NonZeroExitCode".padEnd(120) + "1792".padEnd(16);
 * assertEquals(parseSqueue(line).get("7")?.fate?.details.exitCode, 7);
 * ```
 */
export function parseSqueue(text: string): Map<string, SlurmReport> {
  const reports = new Map<string, SlurmReport>();
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    let at = 0;
    const fields = COLUMNS.map(([, width]) => {
      const field = line.slice(at, at + width).trim();
      at += width;
      return field;
    });
    const [id, state, reason, exit, nodes, start, restarts, partition] = fields;
    const report: SlurmReport = {
      phase: phaseOf(state),
      state,
      partitions: partition.split(",").filter(Boolean),
    };
    if (reason && reason !== "None") report.reason = reason;
    if (nodes) report.node = nodes;
    if (Number(restarts) > 0) report.restarts = Number(restarts);
    if (report.phase === "pending") {
      const eta = Date.parse(start);
      if (!Number.isNaN(eta)) report.eta = eta;
      if (NEVER.has(reason)) report.neverStartable = true;
    }
    if (report.phase === "ended") {
      report.fate = slurmFate(state, Number(exit) || 0, report.reason, nodes);
    }
    reports.set(id, report);
  }
  return reports;
}

/**
 * The partitions that are not up.
 *
 * @param text What `sinfo -h -o '%R|%a'` printed. It may hide partitions (`PrivateData`), which tells
 * nothing about them.
 * @returns Their names.
 * @example
 * ```ts
 * import { parsePartitionsDown } from "./slurm_states.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parsePartitionsDown("main|up\ntiny|down\n"), new Set(["tiny"]));
 * ```
 */
export function parsePartitionsDown(text: string): Set<string> {
  const down = new Set<string>();
  for (const line of text.split("\n")) {
    const [name, available] = line.trim().split("|");
    if (available !== undefined && available !== "up") down.add(name);
  }
  return down;
}

/**
 * Whether a job waits for something else than its turn, so that it has no place in the queue.
 *
 * @param reason Slurm's reason, if it gave one yet.
 * @returns `true` for one that is held, depends on others, or can't run.
 */
export function waitsByItself(reason = ""): boolean {
  return BY_ITSELF.test(reason);
}

/**
 * Whether a job is over.
 *
 * @param state Slurm's word for where it is.
 * @returns `true` for every final state.
 */
export function isEnded(state: string): boolean {
  return ENDED.has(state);
}

function phaseOf(state: string): JobReport["phase"] {
  if (PENDING.has(state)) return "pending";
  return ENDED.has(state) ? "ended" : "active";
}

/**
 * What a final state of Slurm's means.
 *
 * @param state `FAILED`, `TIMEOUT`, …
 * @param status The raw wait status: exit code × 256 + signal.
 * @param reason Slurm's reason.
 * @param node The node, or nodes, it ran on.
 * @returns The fate.
 */
export function slurmFate(
  state: string,
  status: number,
  reason?: string,
  node?: string,
): JobFate {
  const exitCode = status >> 8;
  const signal = status & 0x7f;
  const details: Record<string, unknown> = { state };
  if (reason) details.reason = reason;
  if (node) details.node = node;
  if (signal !== 0) details.signal = signal;
  else details.exitCode = exitCode;
  const fate = (code: JobFate["code"], message: string): JobFate => ({
    code,
    message,
    details,
  });
  switch (state) {
    case "COMPLETED":
      return fate("completed", "The job completed");
    case "TIMEOUT":
      return fate("walltime", "The job ran into its time limit");
    case "DEADLINE":
      return fate("walltime", "The job ran into its deadline");
    case "CANCELLED":
    case "REVOKED":
      // a site, or --kill-on-invalid-dep, has Slurm cancel such a job by itself
      if (reason === "DependencyNeverSatisfied") {
        return fate("never_startable", "The job waited for one that has failed");
      }
      return fate(
        "job_cancelled",
        "The job was cancelled by somebody else (scancel)",
      );
    case "NODE_FAIL":
    case "BOOT_FAIL":
      return fate("node_failure", `The node under the job failed (${state})`);
    case "OUT_OF_MEMORY":
      return fate("oom", "The job used more memory than it had asked for");
    case "PREEMPTED":
      return fate(
        "preempted",
        "The job was stopped for one of higher priority",
      );
  }
  // 53 is Slurm's own word for files that could not be opened, no signal
  if (signal === 53) {
    return fate(
      "job_failed",
      "Slurm could not start the job's script (0:53): expected a working folder and an output file that can be written on the node",
    );
  }
  if (signal !== 0) {
    return fate("job_failed", `The job was killed by signal ${signal}`);
  }
  if (exitCode <= 128 || exitCode > 192) {
    return fate("job_failed", `The job ended with exit code ${exitCode}`);
  }
  // a shell's way to say that its program was killed
  details.signal = exitCode - 128;
  return fate(
    "job_failed",
    `The job ended with exit code ${exitCode}: its program was killed by signal ${details.signal}`,
  );
}
