/**
 * Watches a job that is a process: its end is known when it comes, without any polls.
 *
 * @module
 */
import type { JobReport, JobWatch, ReportListener } from "./job/job_report.ts";

/** A process that runs a job. */
export interface WatchedProcess {
  /** Resolves when it has ended. */
  status: Promise<unknown>;
  /** What can be told of it now. */
  report(): JobReport;
}

/**
 * Watches a process.
 *
 * @param job The process; `undefined` for one that this process knows nothing of.
 * @param listener Gets to hear of its end.
 * @returns Says what is wanted to know.
 */
export function watchProcess(
  job: WatchedProcess | undefined,
  listener: ReportListener,
): JobWatch {
  let watched = true;
  let resting = false;
  const report = () => {
    if (watched && job) listener.report(job.report());
  };
  job?.status.then(() => {
    if (!resting) report();
  });
  return {
    wait: () => {},
    rest: () => resting = true,
    investigate: () => {
      resting = false;
      if (!job) listener.report({ phase: "unknown", state: "UNKNOWN" });
      else job.status.then(report);
    },
    stop: () => watched = false,
  };
}
