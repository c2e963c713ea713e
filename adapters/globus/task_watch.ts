/**
 * Watches a task, and tells what Globus Compute can't.
 *
 * @module
 */
import type { JobReport, JobWatch, ReportListener } from "../job_report.ts";

/** Stands between the polls of a task and who listens to them. */
export class TaskWatch implements ReportListener {
  #listener: ReportListener;
  #begun = false;
  #silent = false;

  /** @param listener Gets the reports. */
  constructor(listener: ReportListener) {
    this.#listener = listener;
  }

  /**
   * Hears what is wanted to know of a watch.
   *
   * @param watch The watch.
   * @param stopped Called when nobody wants to know any more.
   * @returns The same watch.
   */
  around(watch: JobWatch, stopped: () => void): JobWatch {
    return {
      wait: () => watch.wait(),
      rest: () => {
        this.#begun = true;
        this.#silent = false;
        watch.rest();
      },
      investigate: () => {
        this.#silent = true;
        watch.investigate();
      },
      stop: () => {
        stopped();
        watch.stop();
      },
    };
  }

  /** A task that has spoken runs, though the service may learn that only with its result. */
  report(report: JobReport): void {
    this.#listener.report(
      this.#begun && report.phase === "pending" ? { ...report, phase: "active" } : report,
    );
  }

  /** The service could not be asked. */
  trouble(error: Error): void {
    this.#listener.trouble(error);
  }

  /**
   * A cancel was recorded: for a task that waits this is the end of its stream. When it starts, it finds
   * its stream over and ends at once.
   *
   * @param report What the service says of the task.
   */
  cancelled(report: JobReport): void {
    if (report.phase === "pending" && !this.#begun && !this.#silent) {
      report = { ...report, phase: "ended" };
    }
    if (report.phase === "ended") this.#listener.report(report);
  }
}
