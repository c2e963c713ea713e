/**
 * One job's record in the state folder, for as long as the job is under way.
 *
 * @module
 */
import { removeJobRecord, type SubmittedJob, writeJobRecord } from "./job_record.ts";

/** Remembers a job, and forgets it; whichever comes first, it is forgotten in the end. */
export class JobMemory {
  #work: Promise<void> = Promise.resolve();
  #over = false;

  /**
   * Remembers the job. A state folder that can't be written is no reason to lose a job that runs.
   *
   * @param job The job.
   */
  keep(job: SubmittedJob): Promise<void> {
    return this.#then(() => this.#over ? undefined : writeJobRecord(job));
  }

  /**
   * Forgets the job.
   *
   * @param channel Its channel.
   */
  drop(channel: string): Promise<void> {
    this.#over = true;
    return this.#then(() => removeJobRecord(channel));
  }

  /** Resolves when all is done that was asked for. */
  get settled(): Promise<void> {
    return this.#work;
  }

  #then(act: () => Promise<void> | undefined): Promise<void> {
    return this.#work = this.#work.then(act).catch(() => {});
  }
}
