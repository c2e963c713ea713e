/**
 * Every interval of the executors.
 *
 * @module
 */

/** Intervals, all in milliseconds. */
export interface Timings {
  /**
   * Least time between two questions about jobs that wait.
   *
   * @default {30_000}
   */
  pollEvery?: number;
  /**
   * The same where nothing changes: the interval grows up to it.
   *
   * @default {120_000}
   */
  pollAtMost?: number;
  /**
   * From a job's submission to the first question about it, where none was asked lately.
   *
   * @default {2_000}
   */
  pollFirst?: number;
  /**
   * Least time between two looks at a scheduler's whole queue, for the place of jobs that wait in it; a
   * fifth of it for a job that has no place yet. Such a look takes the place of a question.
   *
   * @default {300_000}
   */
  placesEvery?: number;
  /**
   * How long a scheduler's accounting may take to tell how a job ended.
   *
   * @default {20_000}
   */
  accountingTime?: number;
  /**
   * Share of an interval that is added at random, so that many users don't ask in step.
   *
   * @default {0.2}
   */
  jitter?: number;
  /**
   * When to ask what became of a job that went silent, counted from then;
   * `fateEvery` goes on from there.
   *
   * @default {[1_000, 2_000, 5_000, 15_000]}
   */
  fateAt?: readonly number[];
  /**
   * Time between further questions after those.
   *
   * @default {30_000}
   */
  fateEvery?: number;
  /**
   * Questions about jobs that went silent are gathered over so long, so that a node's failure
   * costs a few calls and not a few a job.
   *
   * @default {1_000}
   */
  gather?: number;
  /**
   * After so long with the job running and its producer not at the relay, a `status` says so.
   *
   * @default {60_000}
   */
  connectHint?: number;
  /**
   * Before a cancel that the scheduler did not take is tried again.
   *
   * @default {10_000}
   */
  cancelRetry?: number;
  /**
   * With `transport: "file"`: between two looks into the spool while something comes; it grows to five
   * times that.
   *
   * @default {200}
   */
  spoolEvery?: number;
  /**
   * Before a spool that can't be followed is tried again; it grows to twelve times that.
   *
   * @default {5_000}
   */
  spoolRetry?: number;
}

/** What is used where nothing was given. */
export const DEFAULT_TIMINGS: Required<Timings> = {
  pollEvery: 30_000,
  pollAtMost: 120_000,
  pollFirst: 2_000,
  placesEvery: 300_000,
  accountingTime: 20_000,
  jitter: 0.2,
  fateAt: [1_000, 2_000, 5_000, 15_000],
  fateEvery: 30_000,
  gather: 1_000,
  connectHint: 60_000,
  cancelRetry: 10_000,
  spoolEvery: 200,
  spoolRetry: 5_000,
};
