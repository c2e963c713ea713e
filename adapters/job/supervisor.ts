/**
 * Looks after one job: hears from the relay how its producer does, asks the scheduler when the job is
 * silent, and sets the one verdict.
 *
 * @module
 */
import type { ControlClient } from "../../client/mod.ts";
import type { StatusEvent } from "../../stream/event.ts";
import { StreamError } from "../../stream/stream_error.ts";
import type { CancelAck, CancelRequest } from "../../stream/v2_control.ts";
import type { Timings } from "../timings.ts";
import {
  isSignalled,
  judge,
  type LastWords,
  lastWordsOf,
  type ProducerStatus,
  publicPart,
  silentHint,
  statusOf,
  type Verdict,
  verdictOf,
} from "./fate.ts";
import { JobCancel } from "./job_cancel.ts";
import type { JobReport, JobWatch, ReportListener } from "./job_report.ts";
import { StatusNews } from "./status_news.ts";

/** What a supervisor works with. */
export interface SupervisorOptions {
  /** Sets the end. */
  control: Pick<ControlClient, "end">;
  /** The channel. */
  channel: string;
  /** Appends a status to the channel. */
  announce: (status: StatusEvent) => void;
  /** Watches the job at the scheduler. */
  watch: (jobId: string, listener: ReportListener) => JobWatch;
  /** Cancels the job at the scheduler. */
  cancelJob: (jobId: string) => Promise<void>;
  /** The end of the job's output file, for a job that left no word. */
  output: (jobId: string) => Promise<string | undefined>;
  /** Intervals. */
  timings: Required<Timings>;
  /** Whether to announce `running`, because the producer is the user's and may not. */
  announceRunning: boolean;
  /**
   * Opens a `failing` status that is sealed; absent where the stream isn't encrypted. What the program
   * printed is then kept out of the channel.
   */
  open?: (status: ProducerStatus) => Promise<ProducerStatus>;
  /** Where the job writes a spool: sees to it that all it wrote is told, until `heard` says so. */
  settle?: (heard: () => boolean) => Promise<void>;
  /** Called when no verdict could be written into the channel, and with it. */
  lost: (error: StreamError) => void;
}

/** The supervision of one job. */
export class Supervisor implements ReportListener {
  #options: SupervisorOptions;
  #jobId?: string;
  #watch?: JobWatch;
  #connected = false;
  #everConnected = false;
  #silent = false;
  #lastWords?: LastWords;
  #verdict?: Verdict;
  #over = false;
  #concluding = false;
  #news = new StatusNews();
  #attempt = 0;
  #restarts?: number;
  #neverSeen = 0;
  #unknownSeen = 0;
  #activeSince = 0;
  #cancel?: JobCancel;
  #timers = new Set<ReturnType<typeof setTimeout>>();

  /** @param options What it works with. */
  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** The verdict that was set, in full: in an encrypted channel stands less. */
  get verdict(): Verdict | undefined {
    return this.#verdict;
  }

  /**
   * The scheduler has taken the job.
   *
   * @param jobId Its id.
   */
  submitted(jobId: string): void {
    this.#jobId = jobId;
    if (this.#over) return;
    this.#watch = this.#options.watch(jobId, this);
    if (this.#everConnected) this.#announceRunning();
    if (this.#connected) this.#watch.rest();
    else if (this.#silent) this.#watch.investigate();
    this.#cancel?.act(jobId);
  }

  /**
   * The relay tells what the producer does.
   *
   * @param status `connected`, `disconnected` or `failing`.
   */
  producerStatus(status: ProducerStatus): void {
    if (this.#over) return;
    switch (status.state) {
      case "connected":
        this.#connected = true;
        this.#startsOver();
        this.#watch?.rest();
        if (!this.#everConnected) this.#announceRunning();
        this.#everConnected = true;
        break;
      case "disconnected":
        this.#investigate();
        break;
      case "failing":
        if (this.#options.open === undefined) this.#failing(status);
        else this.#openFailing(status, this.#options.open);
    }
  }

  /**
   * Somebody wants the job to stop.
   *
   * @param request Who, and why.
   * @returns How far it got; it is tried again by itself where the scheduler did not take it.
   */
  async cancelled(request: Partial<CancelRequest>): Promise<CancelAck> {
    const cancel = this.#cancel ??= this.#newCancel(request);
    if (this.#over || this.#jobId === undefined) return "recorded";
    return await cancel.act(this.#jobId);
  }

  /** The scheduler tells where the job is. */
  report(report: JobReport): void {
    if (this.#over || this.#connected || this.#jobId === undefined) return;
    if (report.phase === "unknown" && this.#unknownSeen++ === 0) {
      // a controller that has just come up may not know its jobs yet
      this.#watch?.investigate();
      return;
    }
    if (report.phase !== "unknown") {
      this.#unknownSeen = 0;
      const restarts = report.restarts ?? 0;
      if (restarts > (this.#restarts ?? restarts)) this.#startsOver();
      this.#restarts = restarts;
    }
    const waiting = report.phase === "pending" || report.phase === "active";
    if (!waiting) {
      this.#fell(report);
      return;
    }
    if (report.phase === "pending") {
      this.#startsOver();
      this.#watch?.wait();
    }
    if (report.phase === "pending" || !this.#silent) {
      this.#tell(statusOf(report, this.#jobId));
    }
    if (report.phase === "active" && !this.#silent) {
      this.#watch?.wait();
      this.#hint(report);
    }
    this.#judgeWaiting(report);
  }

  /** The scheduler could not be asked. */
  trouble(error: Error): void {
    if (this.#over || this.#connected) return;
    this.#tell({
      type: "status",
      state: this.#silent ? "disconnected" : "queued",
      jobId: this.#jobId,
      reason: `The scheduler could not be asked: ${error.message}`,
    });
  }

  /** Not before its id is known: a job may speak before the answer to its submission is heard. */
  #announceRunning(): void {
    if (!this.#options.announceRunning || this.#jobId === undefined) return;
    this.#options.announce({ type: "status", state: "running", jobId: this.#jobId });
  }

  /**
   * Sets the failing end; tried again until the relay has taken it or is lost.
   *
   * @param verdict The end.
   * @param withoutOutput The same, made without the job's output, which holds what the program printed.
   */
  async conclude(verdict: Verdict, withoutOutput = verdict): Promise<void> {
    if (this.#over || this.#concluding) return;
    this.#concluding = true;
    this.#verdict = verdict;
    this.#watch?.stop();
    const plain = withoutOutput.code === verdict.code ? withoutOutput : verdict;
    const told = this.#options.open ? publicPart(plain, this.#lastWords) : verdict;
    while (!this.#over) {
      try {
        await this.#options.control.end(this.#options.channel, {
          kind: "error",
          ...told,
        });
        return;
      } catch (error) {
        const failure = StreamError.from(error);
        // an end that is there already counts; the relay tells which
        if (failure.code === "conflict" || failure.code === "ended") return;
        if (!failure.retry) {
          this.#options.lost(failure);
          return;
        }
        await this.#pause();
      }
    }
  }

  /** It is over, or nobody wants to know any more. */
  stop(): void {
    this.#over = true;
    this.#watch?.stop();
    for (const timer of this.#timers) clearTimeout(timer);
  }

  async #openFailing(
    status: ProducerStatus,
    open: (status: ProducerStatus) => Promise<ProducerStatus>,
  ): Promise<void> {
    const attempt = this.#attempt;
    const opened = await open(status);
    // another attempt may have begun meanwhile
    if (attempt === this.#attempt) this.#failing(opened, !("sealed" in status));
  }

  #failing(status: ProducerStatus, inClear = false): void {
    if (this.#over) return;
    const words = { ...lastWordsOf(status), inClear };
    this.#lastWords = words;
    if (words.code === "cancelled") this.conclude(this.#cancelVerdict());
    // our own cancel may arrive in the job as a signal
    else if (this.#cancel || isSignalled(words)) this.#investigate();
    else this.#failed(words);
  }

  /** A site may have jobs started over that end with certain exit codes. */
  async #failed(words: LastWords): Promise<void> {
    const again = await this.#watch?.startsOver?.(Number(words.details.exitCode));
    if (!again) this.conclude(verdictOf(words, this.#jobId));
    else if (this.#lastWords === words) this.#investigate();
  }

  /** A job that was requeued has not failed, and what it said before is void. */
  #startsOver(): void {
    this.#attempt++;
    this.#silent = false;
    this.#lastWords = undefined;
    this.#activeSince = 0;
  }

  #investigate(): void {
    this.#connected = false;
    this.#silent = true;
    this.#unknownSeen = 0;
    this.#watch?.investigate();
  }

  async #fell(report: JobReport): Promise<void> {
    const jobId = this.#jobId!;
    if (!this.#lastWords && !this.#cancel) {
      await this.#options.settle?.(() => this.#over || this.#lastWords !== undefined);
      if (this.#over) return;
    }
    this.#watch?.stop();
    if (this.#cancel) return await this.conclude(this.#cancelVerdict());
    // a job that was killed may be told there why, by who killed it
    const told = this.#lastWords !== undefined && !isSignalled(this.#lastWords);
    const output = told ? undefined : await this.#options.output(jobId).catch(() => undefined);
    const known = {
      jobId,
      connected: this.#everConnected,
      lastWords: this.#lastWords,
      ...(this.#options.settle && { spooled: true }),
    };
    const verdict = judge(report, { ...known, output });
    if (verdict) await this.conclude(verdict, judge(report, known));
  }

  #judgeWaiting(report: JobReport): void {
    if (!report.neverStartable) {
      this.#neverSeen = 0;
      return;
    }
    if (++this.#neverSeen < 2) return;
    const jobId = this.#jobId!;
    this.#options.cancelJob(jobId).catch(() => {});
    this.conclude({
      code: "never_startable",
      message: `The scheduler will never start job ${jobId}: ${report.reason}; it was cancelled`,
      details: { jobId, reason: report.reason },
    });
  }

  /** Says once that a job runs and is not heard of: most often its node can't reach the relay. */
  #hint(report: JobReport): void {
    this.#activeSince ||= performance.now();
    if (performance.now() - this.#activeSince < this.#options.timings.connectHint) return;
    this.#tell({
      ...statusOf(report, this.#jobId!),
      reason: silentHint(this.#options.settle !== undefined),
    });
  }

  #newCancel(request: Partial<CancelRequest>): JobCancel {
    return new JobCancel(request, {
      atScheduler: this.#options.cancelJob,
      taken: () => this.conclude(this.#cancelVerdict()),
      refused: ({ message }) =>
        this.#tell({
          type: "status",
          state: "cancelling",
          jobId: this.#jobId,
          reason: `The scheduler did not take the cancel: ${message}`,
        }),
      again: () => this.#pause().then(() => !this.#over),
    });
  }

  #cancelVerdict(): Verdict {
    return (this.#cancel ?? this.#newCancel({})).verdict(this.#jobId);
  }

  /** Announces what is new. */
  #tell(status: StatusEvent): void {
    if (this.#news.isNew(status)) this.#options.announce(status);
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        resolve();
      }, this.#options.timings.cancelRetry);
      this.#timers.add(timer);
    });
  }
}
