/**
 * A channel while somebody is connected to it or a timer of it runs: who writes, who reads, who
 * supervises, and what becomes of it when they go.
 *
 * Length: appending, ending, attaching and leaving share the same few facts, and SEMANTICS states their
 * rules together; taking them apart would only spread one state over several files.
 *
 * @module
 */
import {
  type Actor,
  type CancelAck,
  type CancelRequest,
  type ChannelEnd,
  type CloseKind,
  type OnDisconnect,
  StreamError,
} from "../stream/mod.ts";
import { Deadline } from "./deadline.ts";
import { failingStatus, statusRecord } from "./records.ts";
import { Reader, type ReaderSink, type StalledReaders } from "./reader.ts";
import type {
  AppendBatch,
  AppendResult,
  ChannelInfo,
  Claim,
  Store,
  StoredFrame,
  Writer,
} from "./store/store.ts";

/** The producer that is connected now. */
export interface ProducerLink {
  /** Which face it came by; a second v1 producer is refused while a first is there. */
  face: "v1" | "v2" | "http" | "pipe";
  /** Its claim's epoch. */
  epoch: number;
  /** Tells it that a cancel was asked for. Returns whether it can be told now. */
  cancel(cancel: CancelRequest): boolean;
  /** Tells it that a newer producer has taken its place. */
  fence(): void;
  /** Tells it the end, when somebody else set it. */
  ended(end: ChannelEnd): void;
  /** Tells it that the channel is gone. */
  gone(): void;
}

/** A supervisor that is connected now. */
export interface SupervisorLink {
  /** Tells it what the producer does. */
  status(status: { state: string } & Record<string, unknown>): void;
  /** Tells it that a cancel was asked for. */
  cancel(cancel: CancelRequest): void;
  /** Tells it the end. */
  ended(end: ChannelEnd): void;
  /** Tells it that the channel is gone. */
  gone(): void;
}

/** A consumer that is connected now. */
export interface ConsumerLink {
  /** Its place. */
  reader: Reader;
  /** Tells it that the channel is gone. */
  gone(): void;
}

/** What every channel of a relay shares. */
export interface ChannelContext {
  /** Where channels are kept. */
  store: Store;
  /** Pumps readers that had to wait. */
  stalled: StalledReaders;
  /** Milliseconds a producer may be away before its stream ends, where nobody supervises. */
  producerGrace: number;
  /** Milliseconds a lease still counts after it ran out. */
  leaseGrace: number;
  /** Called when nothing holds the live channel any more. */
  idle(channel: Channel): void;
}

/** The live state of one channel. */
export class Channel {
  /** Its name. */
  readonly id: string;
  /** Random id of this making of it. */
  readonly incarnation: string;
  /** Whether its records are encrypted end to end. */
  readonly keyed: boolean;
  /** The tail. */
  next: number;
  /** The end, once set. */
  end?: ChannelEnd;
  /** The wish to stop, once made. */
  cancel?: CancelRequest;
  /** Until when the lease runs, in milliseconds since 1970; 0 without one. */
  leaseUntil: number;
  #onDisconnect: OnDisconnect;
  #context: ChannelContext;
  #producer?: ProducerLink;
  #claimed: boolean;
  #readers = new Set<ConsumerLink>();
  #supervisors = new Set<SupervisorLink>();
  #loss = new Deadline();
  #abandoned = new Deadline();
  #producerGoneAt = 0;
  #holds = 0;
  #unwatch: () => void;
  #dead = false;

  /**
   * @param info What the store knows of it.
   * @param context What it shares with the relay's others.
   */
  constructor(info: ChannelInfo, context: ChannelContext) {
    this.id = info.id;
    this.incarnation = info.incarnation;
    this.keyed = info.keyed;
    this.next = info.next;
    this.end = info.end;
    this.cancel = info.cancel;
    this.leaseUntil = info.leaseUntil ?? 0;
    this.#onDisconnect = info.onDisconnect ?? {};
    this.#claimed = info.claims.length > 0;
    this.#context = context;
    this.#unwatch = context.store.watch(info.id, {
      records: (next, frame) => this.#committed(next, frame),
      ended: (end) => this.#ended(end),
      cancelled: (cancel) => this.#cancelled(cancel),
      gone: () => this.#gone(),
    });
  }

  /** The producer that is connected, if any. */
  get producer(): ProducerLink | undefined {
    return this.#producer;
  }

  /** How many of each are connected. */
  get connected(): {
    producer: boolean;
    consumers: number;
    supervisors: number;
  } {
    return {
      producer: this.#producer !== undefined,
      consumers: this.#readers.size,
      supervisors: this.#supervisors.size,
    };
  }

  /** Whether a connection or a running lease keeps the channel. */
  get inUse(): boolean {
    return this.#producer !== undefined || this.#readers.size > 0 ||
      this.#supervised(Date.now());
  }

  /** Keeps the live channel until the returned function is called. */
  hold(): () => void {
    this.#holds++;
    let held = true;
    return () => {
      if (held) this.#holds--;
      held = false;
      this.#settle();
    };
  }

  // --- writing ---

  /**
   * Appends. While somebody supervises, a producer's `error` becomes a `status {failing}` in its place:
   * the supervisor alone knows what the scheduler knows.
   */
  async append(
    writer: Writer,
    batch: AppendBatch,
    close?: CloseKind,
  ): Promise<AppendResult> {
    let closing = close;
    let content = batch;
    let failing: ReturnType<typeof failingStatus> | undefined;
    if (close === "error" && this.#supervised(Date.now())) {
      failing = failingStatus(batch);
      content = failing.batch;
      closing = undefined;
    }
    try {
      const result = await this.#context.store.append(
        this.id,
        writer,
        content,
        closing && { close: closing },
      );
      if (failing && result.appended > 0) this.#notify(failing.status);
      return result;
    } catch (error) {
      if (error instanceof StreamError && error.code === "limit") {
        await this.setEnd("relay", "error", error.toJSON());
      }
      throw error;
    }
  }

  /** Appends a status of the supervisor's or the relay's own. */
  async status(
    origin: "supervisor" | "relay",
    status: { state: string } & Record<string, unknown>,
  ): Promise<void> {
    if (this.end) return;
    await this.append({ origin }, { n: 1, text: statusRecord(status) });
  }

  /** Sets the end, unless there is one. */
  setEnd(
    by: Actor,
    kind: ChannelEnd["kind"],
    error: {
      code?: ChannelEnd["code"];
      message?: string;
      details?: Record<string, unknown>;
    } = {},
  ): Promise<{ end: ChannelEnd; set: boolean }> {
    return this.#context.store.setEnd(this.id, {
      kind,
      by,
      ...error,
      ts: Date.now(),
    });
  }

  /** Stores the wish to stop, and passes it on to whoever is connected. */
  async requestCancel(
    by: Actor,
    reason?: string,
  ): Promise<{ cancel: CancelRequest; ack: CancelAck }> {
    const cancel = await this.#context.store.requestCancel(this.id, {
      by,
      reason,
      ts: Date.now(),
    });
    return {
      cancel,
      ack: this.#producer && this.#producer.face !== "http"
        ? "producer"
        : "recorded",
    };
  }

  /** Sets the lease. */
  async renew(seconds: number, onDisconnect?: OnDisconnect): Promise<void> {
    this.leaseUntil = seconds > 0 ? Date.now() + seconds * 1000 : 0;
    if (onDisconnect) this.#onDisconnect = onDisconnect;
    await this.#context.store.renew(this.id, this.leaseUntil, onDisconnect);
    this.#armLoss();
  }

  /**
   * Claims for a producer. One that starts over after another wrote is announced as `restarted`.
   *
   * @param instance Random id of the producer's process.
   * @param continues What it truly goes on after.
   * @returns Its claim.
   */
  async claim(
    instance: string,
    continues?: { epoch: number; count: number },
  ): Promise<Claim> {
    const { restarted, ...claim } = await this.#context.store.claim(
      this.id,
      instance,
      continues,
    );
    if (restarted) {
      await this.status("relay", { state: "restarted", attempt: claim.epoch });
    }
    return claim;
  }

  // --- who is connected ---

  /**
   * Connects a producer that holds the newest claim. An older one is fenced.
   *
   * @returns Disconnects it; `vanished` says whether it went without an end.
   */
  attachProducer(link: ProducerLink): (vanished: boolean) => void {
    const older = this.#producer;
    this.#producer = link;
    if (older) older.fence();
    const wasGone = this.#producerGoneAt > 0;
    this.#claimed = true;
    this.#producerGoneAt = 0;
    this.#loss.clear();
    this.#notify({ state: "connected", epoch: link.epoch });
    if (wasGone && !this.end) {
      this.#quietly(
        this.status("relay", {
          state: "running",
          reason: "The producer is back",
        }),
      );
    }
    return (vanished) => {
      if (this.#producer !== link) return;
      this.#producer = undefined;
      if (vanished && !this.end && !this.#dead) {
        this.#producerGoneAt = Date.now();
        if (this.#supervised(Date.now())) {
          this.#notify({ state: "disconnected" });
          this.#quietly(this.status("relay", { state: "disconnected" }));
        }
        this.#armLoss();
      }
      this.#settle();
    };
  }

  /**
   * Connects a consumer.
   *
   * @param sink Where it takes things.
   * @param from The first offset wanted.
   * @param gone Called when the channel is gone.
   * @returns Its reader, and what disconnects it.
   * @throws {StreamError} `bad_offset` when `from` lies beyond the tail.
   */
  attachReader(
    sink: ReaderSink,
    from: number,
    gone: () => void,
  ): { reader: Reader; leave: () => void } {
    if (from > this.next) {
      throw new StreamError(
        "bad_offset",
        `Cannot read from offset ${from}: the channel's tail is ${this.next}, expected no more than that`,
        { details: { next: this.next } },
      );
    }
    const { store, stalled } = this.#context;
    const reader = new Reader(
      this,
      store,
      sink,
      from,
      (each) => stalled.add(each),
    );
    const link: ConsumerLink = { reader, gone };
    this.#readers.add(link);
    const leave = () => {
      reader.leave();
      this.#readers.delete(link);
      this.#settle();
    };
    return { reader, leave };
  }

  /**
   * Connects a supervisor. While one is connected the lease holds.
   *
   * @param link Where it is told things.
   * @param lease Seconds the lease lasts after it went.
   * @param onDisconnect What its going starts.
   * @returns Disconnects it; `released` gives the lease up.
   */
  attachSupervisor(
    link: SupervisorLink,
    lease: number,
    onDisconnect?: OnDisconnect,
  ): (released: boolean) => void {
    this.#supervisors.add(link);
    this.#abandoned.clear();
    if (onDisconnect) this.#onDisconnect = onDisconnect;
    if (!this.end) this.#quietly(this.renew(lease, onDisconnect));
    if (this.#producerGoneAt > 0) link.status({ state: "disconnected" });
    else if (this.#producer) {
      link.status({ state: "connected", epoch: this.#producer.epoch });
    }
    return (released) => {
      if (!this.#supervisors.delete(link)) return;
      if (this.#supervisors.size === 0 && !this.end && !this.#dead) {
        this.#quietly(this.renew(released ? 0 : lease));
        this.#armAbandoned();
      }
      this.#settle();
    };
  }

  // --- what the store tells ---

  #committed(next: number, frame: StoredFrame | undefined): void {
    this.next = next;
    for (const { reader } of this.#readers) reader.offer(frame);
  }

  #ended(end: ChannelEnd): void {
    this.end = end;
    this.#loss.clear();
    this.#abandoned.clear();
    for (const { reader } of this.#readers) reader.pump();
    for (const supervisor of this.#supervisors) supervisor.ended(end);
    // the producer whose own record is the end is told by its face, after the acknowledgement
    if (end.by !== "producer") this.#producer?.ended(end);
    this.#settle();
  }

  #cancelled(cancel: CancelRequest): void {
    this.cancel = cancel;
    this.#producer?.cancel(cancel);
    for (const supervisor of this.#supervisors) supervisor.cancel(cancel);
  }

  #gone(): void {
    this.#dead = true;
    this.#loss.clear();
    this.#abandoned.clear();
    this.#producer?.gone();
    for (const reader of [...this.#readers]) reader.gone();
    for (const supervisor of [...this.#supervisors]) supervisor.gone();
    this.#unwatch();
    this.#context.idle(this);
  }

  #notify(status: { state: string } & Record<string, unknown>): void {
    for (const supervisor of this.#supervisors) supervisor.status(status);
  }

  // --- timers ---

  #supervised(now: number): boolean {
    return this.#supervisors.size > 0 ||
      (this.leaseUntil > 0 && now < this.leaseUntil + this.#context.leaseGrace);
  }

  /** A producer that is away ends as lost, once its grace and any lease are over. */
  #armLoss(): void {
    if (
      this.#producerGoneAt === 0 || this.#supervisors.size > 0 || this.end ||
      this.#dead
    ) {
      return this.#loss.clear();
    }
    const due = Math.max(
      this.#producerGoneAt + this.#context.producerGrace,
      this.leaseUntil > 0 ? this.leaseUntil + this.#context.leaseGrace : 0,
    );
    this.#loss.set(due, () =>
      this.#quietly(this.setEnd("relay", "error", {
        code: "producer_lost",
        message: "The producer went away without saying how the stream ended",
      })));
  }

  /** The last supervisor is gone: nothing happens, or a cancel after its seconds. */
  #armAbandoned(): void {
    const { pending = "keep", running = 60 } = this.#onDisconnect;
    const after = this.#claimed ? running : pending;
    if (after === "keep" || this.leaseUntil === 0) return;
    this.#abandoned.set(Date.now() + after * 1000, () =>
      this.#quietly(
        this.requestCancel(
          "relay",
          `The supervisor has been gone for ${after} s`,
        ),
      ));
  }

  /** Lets the live channel go when nothing needs it. */
  #settle(): void {
    if (
      this.#dead || this.#holds > 0 || this.#producer ||
      this.#readers.size > 0 ||
      this.#supervisors.size > 0 || this.#loss.armed || this.#abandoned.armed
    ) return;
    this.#dead = true;
    this.#unwatch();
    this.#context.idle(this);
  }

  /** For what nobody waits for: a channel that ended or went meanwhile is no failure. */
  #quietly(work: Promise<unknown>): void {
    const release = this.hold();
    work.catch(() => {}).finally(release);
  }
}
