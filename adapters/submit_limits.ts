/**
 * Caps on how many jobs an executor submits.
 *
 * @module
 */
import { StreamError } from "../stream/stream_error.ts";

const HOUR = 3_600_000;

/** Counts an executor's jobs and refuses those beyond its caps. */
export class SubmitLimits {
  #running = 0;
  #submitted: number[] = [];

  /**
   * Takes places for jobs: for all of them or for none.
   *
   * @param maxJobs Jobs at a time; unlimited when undefined.
   * @param maxJobsPerHour Jobs within any hour; unlimited when undefined.
   * @param jobs How many; more than one are the tasks of an array.
   * @returns What gives each place back; calling one twice does nothing more.
   * @throws {StreamError} `limit` where a cap is reached.
   * @example
   * ```ts
   * import { SubmitLimits } from "./submit_limits.ts";
   * import { assertThrows } from "@std/assert";
   *
   * const limits = new SubmitLimits();
   * const [leave] = limits.enter(1);
   * assertThrows(() => limits.enter(1), Error, "maxJobs");
   * leave();
   * limits.enter(1);
   * ```
   */
  enter(maxJobs?: number, maxJobsPerHour?: number, jobs = 1): (() => void)[] {
    const now = Date.now();
    const what = jobs === 1 ? "job" : `array of ${jobs} tasks`;
    this.#submitted = this.#submitted.filter((at) => at > now - HOUR);
    if (maxJobs !== undefined && this.#running + jobs > maxJobs) {
      throw new StreamError(
        "limit",
        `Cannot submit ${what}: ${this.#running} are under way, expected at most maxJobs = ${maxJobs}`,
      );
    }
    if (
      maxJobsPerHour !== undefined && this.#submitted.length + jobs > maxJobsPerHour
    ) {
      throw new StreamError(
        "limit",
        `Cannot submit ${what}: ${this.#submitted.length} were submitted within the last hour, expected at most maxJobsPerHour = ${maxJobsPerHour}`,
      );
    }
    return Array.from({ length: jobs }, () => {
      this.#running++;
      this.#submitted.push(now);
      let left = false;
      return () => {
        if (!left) this.#running--;
        left = true;
      };
    });
  }
}
