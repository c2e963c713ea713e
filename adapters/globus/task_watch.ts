/**
 * Watches a task, and tells what Globus Compute can't.
 *
 * @module
 */
import type { JobFate, JobReport, JobWatch, ReportListener } from "../job/job_report.ts";

/** Stands between the polls of a task and who listens to them. */
export class TaskWatch implements ReportListener {
  #listener: ReportListener;
  #lostAfter: number;
  #begun = false;
  #silentSince?: number;

  /**
   * @param listener Gets the reports.
   * @param lostAfter Milliseconds of silence after which a task that has spoken counts as lost.
   */
  constructor(listener: ReportListener, lostAfter: number) {
    this.#listener = listener;
    this.#lostAfter = lostAfter;
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
        this.#silentSince = undefined;
        watch.rest();
      },
      investigate: () => {
        this.#silentSince ??= performance.now();
        watch.investigate();
      },
      stop: () => {
        stopped();
        watch.stop();
      },
    };
  }

  /**
   * A task that has spoken runs, though the service may learn that only with its result. It does not learn
   * of a task that its endpoint lost, and says for two weeks that it is under way.
   */
  report(report: JobReport): void {
    const { phase, state } = report;
    if (!this.#begun || phase === "ended" || phase === "unknown") {
      return this.#listener.report(report);
    }
    const silence = performance.now() - (this.#silentSince ?? Infinity);
    this.#listener.report(
      silence < this.#lostAfter
        ? { ...report, phase: "active" }
        : { ...report, phase: "ended", fate: lost(state, silence) },
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
    if (report.phase === "pending" && !this.#begun && this.#silentSince === undefined) {
      report = { ...report, phase: "ended" };
    }
    if (report.phase === "ended") this.#listener.report(report);
  }
}

function lost(state: string, silence: number): JobFate {
  const seconds = Math.round(silence / 1000);
  return {
    code: "producer_lost",
    message:
      `The job went silent ${seconds} s ago, and all that Globus Compute says is "${state}"; its endpoint may have lost it`,
    details: { state },
  };
}
