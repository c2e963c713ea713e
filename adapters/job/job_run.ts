/**
 * One stream of an executor: its channel, its job, its supervision, its readers.
 *
 * @module
 */
import { ControlClient, type RelayConsumer } from "../../client/mod.ts";
import type { DoneEvent, ErrorEvent, StreamEvent } from "../../stream/event.ts";
import { StreamError } from "../../stream/stream_error.ts";
import type { EventBatch, JobInfo, TokenStreamSource } from "../../stream/token_source.ts";
import type {
  CancelAck,
  CancelRequest,
  ChannelEnd,
  OnDisconnect,
} from "../../stream/v2_control.ts";
import type { ExecutorConfig } from "../executor_config.ts";
import type { Scheduler, Submitted } from "../scheduler.ts";
import { attend, type Attendance } from "./attend.ts";
import { channelConsumer } from "./channel_consumer.ts";
import { JobMemory } from "./job_memory.ts";
import type { SubmittedJob } from "./job_record.ts";
import { finalRecord } from "./final_record.ts";
import { type JobOpening, openingOf } from "./job_opening.ts";
import { type Launch, type PreparedJob, recordOf } from "./launch.ts";
import { oneByOne } from "./one_by_one.ts";
import type { PreparedChannel } from "./prepare_channel.ts";
import { submittedStatus } from "./submitted_status.ts";
import type { Supervisor } from "./supervisor.ts";

type End = DoneEvent | ErrorEvent;

/** Milliseconds that a reader has to see the end before it is read a second time for `.result`. */
const READER_GRACE = 1_000;

/** Seconds that a local job outlives a process that was killed: a cut of the connection looks the same. */
const ATTENDED_GRACE = 10;

/** One run; the source of the stream that an executor returns. */
export class JobRun<C extends ExecutorConfig> implements TokenStreamSource {
  /** A relay keeps the events. */
  readonly rereadable = true;
  /** The end, whether somebody reads or not. */
  readonly ended: Promise<End>;
  #scheduler: Scheduler<C>;
  #config: C;
  #channel?: PreparedChannel;
  #ready: Promise<PreparedChannel | undefined>;
  #attendance?: Promise<Attendance>;
  #supervisor?: Supervisor;
  #consumer?: RelayConsumer;
  #submitted?: Submitted;
  #files: string[] = [];
  #place?: PreparedJob["place"];
  #settle!: (end: End) => void;
  #over = false;
  #detached = false;
  #readers = 0;
  #wish?: Partial<CancelRequest>;
  #release: () => void = () => {};
  #memory = new JobMemory();
  #lease: number;

  /**
   * @param scheduler Where the job runs.
   * @param config The configuration, with the call's own options in it.
   */
  constructor(scheduler: Scheduler<C>, config: C) {
    this.#scheduler = scheduler;
    this.#config = config;
    // nobody else can ever say how an attended job ended
    this.#lease = config.lease ?? (scheduler.attended ? ATTENDED_GRACE : 600);
    this.ended = new Promise((resolve) => this.#settle = resolve);
    this.#ready = this.ended.then(() => this.#channel);
  }

  /**
   * Submits a job, and looks after it.
   *
   * @param launch Input and arguments.
   */
  start(launch: Launch<C>): void {
    this.open(openingOf(this.#scheduler, launch));
  }

  /**
   * Begins with a job that comes into being in some other way, and looks after it.
   *
   * @param opening How.
   */
  open(opening: JobOpening<C>): void {
    this.#ready = this.#open(opening);
  }

  /**
   * Takes up a job that was submitted before.
   *
   * @param job The job.
   */
  adopt(job: SubmittedJob): void {
    const { channel, incarnation, tokens, relay, jobId, output, errors, key, encryption, spool } =
      job;
    this.#channel = { channel, incarnation, tokens, relay, key, encryption, spool };
    this.#submitted = { jobId, output, errors };
    this.#files = job.files ?? [];
    this.#detached = job.detached ?? false;
    this.#ready = Promise.resolve(this.#channel);
    this.#attend().catch((error) => this.#fail(error));
  }

  /** Every event from the first on; leaving early leaves the job to `onDisconnect`. */
  async *read(): AsyncGenerator<EventBatch, void, undefined> {
    this.#readers++;
    let complete = false;
    try {
      const channel = await this.#ready;
      if (!channel) {
        complete = true;
        yield { events: [await this.ended] };
        return;
      }
      if (!this.#over) this.#attend().catch((error) => this.#fail(error));
      const consumer = this.#takeConsumer(channel);
      try {
        for await (const batch of oneByOne(consumer)) {
          const last = this.#inFull(batch.events.at(-1));
          if (last?.type === "done" || last?.type === "error") {
            complete = true;
            batch.events[batch.events.length - 1] = last;
            this.#finish(last);
          }
          yield batch;
        }
      } finally {
        consumer.close();
      }
    } finally {
      this.#readers--;
      if (!complete && this.#readers === 0) this.#leave();
      // who has seen the end may leave at once, and the record shall not stay behind
      if (complete) await this.#memory.settled;
    }
  }

  /** Asks that the job stop, at the relay and at the scheduler. */
  async cancel(reason?: string): Promise<CancelAck> {
    this.#wish ??= { by: "consumer", ...(reason && { reason }) };
    const channel = await this.#ready;
    if (!channel || this.#over) return "recorded";
    const { relay: url, tokens } = channel;
    const control = new ControlClient({ url, token: tokens.cancel });
    const [asked, acted] = await Promise.allSettled([
      control.cancel(channel.channel, reason),
      this.#attend().then(({ supervisor }) => supervisor.cancelled(this.#wish!)),
    ]);
    if (acted.status === "fulfilled" && acted.value === "scheduler") {
      return "scheduler";
    }
    if (asked.status === "fulfilled") return asked.value.ack;
    if (this.#over) return "recorded";
    throw asked.reason;
  }

  /** The channel, once there is one. */
  channel(): { channel: string; incarnation: string } | undefined {
    return this.#channel && {
      channel: this.#channel.channel,
      incarnation: this.#channel.incarnation,
    };
  }

  /** The scheduler's id, once there is one. */
  job(): JobInfo {
    return this.#submitted ? { id: this.#submitted.jobId } : {};
  }

  async #open(opening: JobOpening<C>): Promise<PreparedChannel | undefined> {
    let prepared: PreparedJob<C>;
    try {
      this.#release = opening.enter();
      prepared = await opening.prepare({
        lease: this.#lease,
        onDisconnect: this.#onDisconnect,
      });
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
    this.#channel = prepared;
    this.#files = prepared.files;
    this.#place = prepared.place;
    this.#submit(prepared, opening).catch((error) => {
      opening.withdraw?.();
      return this.#refuse(error);
    });
    return prepared;
  }

  /** Readers and supervisor are there before the job can start. */
  async #submit(prepared: PreparedJob<C>, opening: JobOpening<C>): Promise<void> {
    if (opening.readerFirst) this.#consumer = this.#newConsumer(prepared);
    const [{ supervisor, announce }] = await Promise.all([
      this.#attend(),
      this.#consumer?.opened,
    ]);
    if (this.#wish) {
      opening.withdraw?.();
      await supervisor.cancelled(this.#wish);
      return await supervisor.conclude({
        code: "cancelled",
        message: "The stream was cancelled before its job was submitted",
        details: { cancelled: true, by: this.#wish.by },
      });
    }
    const submitted = await opening.submit(prepared);
    this.#submitted = submitted;
    const { jobId } = submitted;
    if (this.#config.record ?? !this.#scheduler.attended) {
      await this.#memory.keep(recordOf(this.#scheduler, prepared, submitted));
    }
    announce({ type: "status", ...submittedStatus(prepared, submitted) });
    (await this.#attend()).supervisor.submitted(jobId);
  }

  #attend(): Promise<Attendance> {
    const jobId = this.#submitted?.jobId;
    return this.#attendance ??= attend({
      channel: this.#channel!,
      scheduler: this.#scheduler,
      config: this.#config,
      outputPaths: () => [this.#submitted?.errors, this.#submitted?.output],
      lease: this.#lease,
      onDisconnect: this.#onDisconnect,
      onEnd: (end) => this.#ends(end),
      onLost: (error) => this.#fail(error),
    }).then((attendance) => {
      this.#supervisor = attendance.supervisor;
      if (jobId !== undefined) attendance.supervisor.submitted(jobId);
      return attendance;
    });
  }

  get #onDisconnect(): OnDisconnect {
    return this.#config.onDisconnect ??
      (this.#scheduler.attended
        ? { pending: ATTENDED_GRACE, running: ATTENDED_GRACE }
        : { pending: "keep", running: 60 });
  }

  #newConsumer(prepared: PreparedChannel): RelayConsumer {
    const { giveUpAfter } = this.#config;
    return channelConsumer(prepared, { signal: prepared.lost, retry: { giveUpAfter } });
  }

  #takeConsumer(channel: PreparedChannel): RelayConsumer {
    const consumer = this.#consumer ?? this.#newConsumer(channel);
    this.#consumer = undefined;
    return consumer;
  }

  /** The verdict with what the program printed, which is kept out of a channel that is encrypted. */
  #inFull<E extends StreamEvent | undefined>(event: E): E {
    const verdict = this.#supervisor?.verdict;
    if (event?.type !== "error" || event.code !== verdict?.code) return event;
    return {
      ...event,
      message: verdict.message,
      details: { ...event.details, ...verdict.details },
    };
  }

  /** The relay tells the end; its record may hold more than the notice. */
  async #ends(end: ChannelEnd): Promise<void> {
    if (end.kind === "error" && end.offset === undefined) {
      const { code = "internal", message = "No message was given", details } = end;
      const error: ErrorEvent = { type: "error", code, message, ts: end.ts };
      return this.#finish(this.#inFull(details ? { ...error, details } : error));
    }
    if (this.#readers > 0) {
      // a reader most often sees it at once
      let timer: ReturnType<typeof setTimeout> | undefined;
      await Promise.race([
        this.ended,
        new Promise((resolve) => timer = setTimeout(resolve, READER_GRACE)),
      ]);
      clearTimeout(timer);
    }
    if (!this.#over) this.#finish(await finalRecord(this.#channel!, end));
  }

  /** Tells everybody on the channel that nothing will come. */
  async #refuse(error: unknown): Promise<void> {
    const failure = StreamError.from(error, "submit_failed");
    try {
      const { supervisor } = await this.#attend();
      await supervisor.conclude(failure.toJSON());
    } catch {
      // without a relay only this side can be told
    }
    this.#fail(failure);
  }

  #fail(error: unknown): void {
    if (!this.#over && this.#scheduler.attended && this.#submitted) {
      // nobody can read it or end it any more
      this.#scheduler.cancelJob(this.#submitted.jobId).catch(() => {});
    }
    const { code, message, details } = StreamError.from(error).toJSON();
    const event: ErrorEvent = { type: "error", code, message, ts: Date.now() };
    this.#finish(details ? { ...event, details } : event);
  }

  #finish(end: End): void {
    if (this.#over) return;
    this.#over = true;
    this.#settle(end);
    this.#release();
    this.#place?.leave(this.#submitted !== undefined).catch(() => {});
    this.#attendance?.then(({ leave }) => leave(), () => {});
    // nobody has begun to read it: whoever does later gets one of their own
    this.#consumer?.close();
    this.#consumer = undefined;
    for (const file of this.#files) this.#scheduler.files.remove(file).catch(() => {});
    // what was left on purpose stays known, for `logs`
    if (this.#channel && !this.#detached) this.#memory.drop(this.#channel.channel);
  }

  /** Every reader has gone before the end. */
  #leave(): void {
    if (this.#over) return;
    if (this.#scheduler.attended) {
      this.cancel("its reader left").catch((error) => this.#fail(error));
      return;
    }
    this.#release();
    this.#attendance?.then(({ leave }) => leave(), () => {});
    this.#attendance = undefined;
    this.#consumer?.close();
    this.#consumer = undefined;
  }
}
