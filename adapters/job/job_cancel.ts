/**
 * The wish that a job stop, on its way to the scheduler and into the stream's end.
 *
 * @module
 */
import type { CancelAck, CancelRequest } from "../../stream/v2_control.ts";
import type { Verdict } from "./fate.ts";

/** What a {@linkcode JobCancel} works with. */
export interface JobCancelOptions {
  /** Cancels the job at the scheduler. */
  atScheduler: (jobId: string) => Promise<void>;
  /** The scheduler took it. */
  taken: () => void;
  /** The scheduler did not take it; it is tried again. */
  refused: (error: Error) => void;
  /** Resolves when it is time to try again, with whether it is still worth it. */
  again: () => Promise<boolean>;
}

/** One cancel. */
export class JobCancel {
  #request: Partial<CancelRequest>;
  #options: JobCancelOptions;
  #act?: Promise<CancelAck>;

  /**
   * @param request Who wants it, and why; the consumer unless it says so.
   * @param options What it works with.
   */
  constructor(request: Partial<CancelRequest>, options: JobCancelOptions) {
    this.#request = request;
    this.#options = options;
  }

  /**
   * Cancels the job, once; tried again by itself where the scheduler did not take it.
   *
   * @param jobId The scheduler's id.
   * @returns How far it got.
   */
  act(jobId: string): Promise<CancelAck> {
    return this.#act ??= this.#ask(jobId);
  }

  /**
   * The end that it leads to.
   *
   * @param jobId The scheduler's id, where there is one.
   * @returns The verdict.
   */
  verdict(jobId?: string): Verdict {
    const { by = "consumer", reason } = this.#request;
    return {
      code: "cancelled",
      message: reason ? `The stream was cancelled: ${reason}` : "The stream was cancelled",
      details: { cancelled: true, by, ...(jobId && { jobId }) },
    };
  }

  async #ask(jobId: string): Promise<CancelAck> {
    const { atScheduler, taken, refused, again } = this.#options;
    try {
      await atScheduler(jobId);
    } catch (error) {
      refused(error as Error);
      again().then((worthIt) => {
        if (worthIt) this.#act = this.#ask(jobId);
      });
      return "recorded";
    }
    taken();
    return "scheduler";
  }
}
