/**
 * Asks a scheduler about many jobs in one call, no more often than a good guest does.
 *
 * @module
 */
import type { JobReport, JobWatch, ReportListener } from "./job/job_report.ts";
import type { Timings } from "./timings.ts";

/**
 * Asks the scheduler once about all of these jobs. It is urgent when one of them went silent: then an
 * answer has to be of now.
 */
export type AskScheduler = (
  ids: readonly string[],
  urgent: boolean,
) => Promise<Map<string, JobReport>>;

interface Watched {
  id: string;
  listener: ReportListener;
  ask: AskScheduler;
  timings: Required<Timings>;
  mode: "wait" | "rest" | "investigate";
  /** When it is to be asked about, in milliseconds of the monotonic clock. */
  due: number;
  /** When an answer about it was given last. */
  heard: number;
  silentSince: number;
  questions: number;
  latest: string;
}

const pollers = new Map<string, Poller>();

/**
 * One scheduler's questions. Executors of one process that speak to the same scheduler share one:
 * jobs that wait are asked about in one call at least `pollEvery` apart, jobs that run are not asked
 * about, and jobs that went silent are asked about together at the times of `fateAt`.
 */
export class Poller {
  #jobs = new Set<Watched>();
  #timer?: ReturnType<typeof setTimeout>;
  #asking = false;
  #lastAsked = -Infinity;
  #quiet = 0;
  #failures = 0;

  /**
   * The poller of a scheduler, one in a process.
   *
   * @param cluster What tells this scheduler from others: the binaries' folder, the configuration.
   * @returns The poller.
   */
  static of(cluster: string): Poller {
    let poller = pollers.get(cluster);
    if (!poller) pollers.set(cluster, poller = new Poller());
    return poller;
  }

  /**
   * Watches one job, at first as one that waits.
   *
   * @param id The scheduler's id.
   * @param listener Gets the answers.
   * @param ask Asks the scheduler.
   * @param timings Intervals; of several jobs' the longest `pollEvery` counts.
   * @returns Says what is wanted to know.
   */
  watch(
    id: string,
    listener: ReportListener,
    ask: AskScheduler,
    timings: Required<Timings>,
  ): JobWatch {
    const job: Watched = {
      id,
      listener,
      ask,
      timings,
      mode: "rest",
      due: Infinity,
      heard: -Infinity,
      silentSince: 0,
      questions: 0,
      latest: "",
    };
    this.#jobs.add(job);
    const set = (mode: Watched["mode"], due: number) => {
      if (!this.#jobs.has(job)) return;
      job.mode = mode;
      job.due = due;
      this.#arm();
    };
    const wait = () => {
      if (job.mode === "wait") return;
      this.#quiet = 0;
      set(
        "wait",
        Math.max(now() + timings.pollFirst, this.#lastAsked + this.#least()),
      );
    };
    wait();
    return {
      wait,
      rest: () => set("rest", Infinity),
      investigate: () => {
        if (job.mode === "investigate") return;
        job.silentSince = now();
        job.questions = 0;
        set("investigate", fateTime(job));
      },
      stop: () => {
        this.#jobs.delete(job);
        this.#arm();
      },
    };
  }

  /** The longest of the jobs' least intervals: a site that asks for patience gets it. */
  #least(): number {
    let least = 0;
    for (const { timings } of this.#jobs) {
      least = Math.max(least, timings.pollEvery);
    }
    return least;
  }

  #arm(): void {
    clearTimeout(this.#timer);
    if (this.#asking) return;
    const due = Math.min(...[...this.#jobs].map((job) => job.due));
    if (due === Infinity) return;
    // setTimeout takes at most 2^31 - 1 ms
    const delay = Math.min(Math.max(0, due - now()), 2 ** 31 - 1);
    this.#timer = setTimeout(() => this.#question(), delay);
  }

  async #question(): Promise<void> {
    const jobs = [...this.#jobs].filter((job) => job.mode !== "rest");
    const first = jobs.find((job) => job.due <= now());
    if (!first) return this.#arm();
    this.#asking = true;
    // jobs that come while the answer is awaited have to keep their distance, too
    const asked = this.#lastAsked = now();
    const urgent = jobs.some(({ mode }) => mode === "investigate");
    let answer: Map<string, JobReport> | Error;
    try {
      answer = await first.ask([...new Set(jobs.map((job) => job.id))], urgent);
    } catch (error) {
      answer = error instanceof Error ? error : new Error(String(error));
    }
    this.#asking = false;
    this.#lastAsked = now();
    if (answer instanceof Error) this.#refused(answer, jobs);
    else this.#answered(answer, jobs, asked);
    this.#arm();
  }

  #answered(answer: Map<string, JobReport>, jobs: Watched[], asked: number): void {
    this.#failures = 0;
    const heard = jobs.filter((job) =>
      this.#jobs.has(job) && job.mode !== "rest" &&
      // a question about another job that went silent must not make polls of one that waits more frequent
      (job.mode === "investigate"
        // what was asked before it went silent tells nothing of that
        ? job.silentSince <= asked
        : now() - job.heard >= this.#least())
    );
    const reports = heard.map((job): [Watched, JobReport] => [
      job,
      answer.get(job.id) ?? { phase: "unknown", state: "UNKNOWN" },
    ]);
    let changed = false;
    for (const [job, report] of reports) {
      const text = JSON.stringify(report);
      if (text !== job.latest) changed = true;
      job.latest = text;
    }
    this.#quiet = changed ? 0 : this.#quiet + 1;
    const next = this.#nextPoll();
    // asked is asked: one that was answered by a question of others waits as long as they do
    for (const job of jobs) if (job.mode === "wait") job.due = next;
    for (const [job, report] of reports) {
      job.heard = now();
      if (job.mode === "investigate") this.#again(job);
      job.listener.report(report);
    }
  }

  #refused(error: Error, jobs: Watched[]): void {
    this.#failures++;
    const next = this.#nextPoll();
    for (const job of jobs) {
      if (!this.#jobs.has(job)) continue;
      if (job.mode === "wait") job.due = next;
      else if (job.mode === "investigate") this.#again(job);
      job.listener.trouble(error);
    }
  }

  #again(job: Watched): void {
    job.questions++;
    job.due = Math.max(fateTime(job), now());
  }

  #nextPoll(): number {
    const least = this.#least();
    let most = least;
    let jitter = 0;
    for (const { timings } of this.#jobs) {
      most = Math.max(most, timings.pollAtMost);
      jitter = Math.max(jitter, timings.jitter);
    }
    const growth = 1.25 ** this.#quiet * 2 ** this.#failures;
    const interval = Math.min(least * growth, most);
    return now() + interval * (1 + jitter * Math.random());
  }
}

function now(): number {
  return performance.now();
}

/** When the next question about a silent job is due, rounded up so that jobs share it. */
function fateTime({ silentSince, questions, timings }: Watched): number {
  const { fateAt, fateEvery, gather } = timings;
  const listed = fateAt[questions];
  const at = silentSince +
    (listed ?? (fateAt.at(-1) ?? 0) +
        (questions - fateAt.length + 1) * fateEvery);
  return gather > 0 ? Math.ceil(at / gather) * gather : at;
}
