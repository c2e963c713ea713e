/**
 * A channel while somebody is connected to it or a timer of it runs: who writes, who reads, who
 * supervises, and what becomes of it when they go.
 *
 * Length: appending, ending, attaching and leaving share the same few facts and have one set of
 * rules; what could stand alone (supervision, reading) does.
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
import { failingStatus, type Failure, failureIn, refuseFalseEnd, statusRecord } from "./records.ts";
import { Deadline } from "./deadline.ts";
import { failingIn } from "./failing_in.ts";
import { Reader, type ReaderSink, type StalledReaders } from "./reader.ts";
import { type ProducerStatus, Supervision, type SupervisorLink } from "./supervision.ts";
import { refusePlaintext, withoutOutput, withSession } from "./sealed_records.ts";
import type { ProducerLink } from "./producer_link.ts";
import type {
  AppendBatch,
  AppendResult,
  ChannelInfo,
  Claim,
  Store,
  StoredFrame,
  Watcher,
  Writer,
} from "./store/store.ts";

/** Milliseconds after which a store that takes nothing now, for a disk that is full, is tried again. */
export const TRY_AGAIN_MS = 250;

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
  /** Called when it got its end, or was to be cancelled. */
  noted(channel: Channel): void;
}

/** The live state of one channel. */
export class Channel implements Watcher {
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
  #context: ChannelContext;
  #producer?: ProducerLink;
  #claimed: boolean;
  /** Another array whenever somebody comes or goes. */
  #readers: readonly Reader[] = [];
  #supervision: Supervision;
  #holds = 0;
  #unwatch: () => void;
  #dead = false;
  #saidAway = false;
  /** What the store would not take yet, and when it is tried again. */
  #undone: (() => Promise<unknown>)[] = [];
  #again = new Deadline();

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
    this.#claimed = info.claims.length > 0;
    this.#context = context;
    this.#supervision = new Supervision({
      producerGrace: context.producerGrace,
      leaseGrace: context.leaseGrace,
      leaseUntil: info.leaseUntil ?? 0,
      onDisconnect: info.onDisconnect ?? {},
      lost: (failure) => this.#surely(() => this.setEnd("relay", "error", failure)),
      abandoned: (seconds) =>
        this.#surely(() =>
          this.requestCancel("relay", `The supervisor has been gone for ${seconds} s`)
        ),
    });
    this.#unwatch = context.store.watch(info.id, this);
  }

  /** The producer that is connected, if any. */
  get producer(): ProducerLink | undefined {
    return this.#producer;
  }

  /** Until when the lease runs, in milliseconds since 1970; 0 without one. */
  get leaseUntil(): number {
    return this.#supervision.leaseUntil;
  }

  /** How many of each are connected. */
  get connected(): {
    producer: boolean;
    consumers: number;
    supervisors: number;
  } {
    return {
      producer: this.#producer !== undefined,
      consumers: this.#readers.length,
      supervisors: this.#supervision.links.size,
    };
  }

  /** Whether a connection, a request, a clock or a running lease keeps the channel. */
  get inUse(): boolean {
    return this.#needed || this.#supervision.alive;
  }

  /** Whether this is still the one that the store tells of what happens. */
  get live(): boolean {
    return !this.#dead;
  }

  /**
   * Takes the channel up after a restart of the relay: whoever was connected is away now, and has as
   * long to come back as if it had just gone. A failure that nobody has judged is still one.
   *
   * @param supervised Whether a supervisor's lease held.
   */
  async revive(supervised: boolean): Promise<void> {
    const release = this.hold();
    if (this.#claimed) this.#supervision.producerWent();
    if (supervised) this.#supervision.leave(this.#claimed);
    try {
      const failed = this.#claimed && await failingIn(this.#context.store, this.id);
      if (failed) await this.#tellFailure(failed.failure, failed.status, false);
    } finally {
      release();
    }
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
  append(
    writer: Writer,
    batch: AppendBatch,
    close?: CloseKind,
  ): Promise<AppendResult> {
    if (close !== undefined || this.keyed) return this.#appendWithCare(writer, batch, close);
    // the hot path: every async function more is a good part of what a v1 message costs
    return this.#context.store.append(this.id, writer, batch).catch(this.#refused);
  }

  /**
   * Appends a producer's records at once where that can be: to a store that takes no time.
   *
   * @returns What was done, or `undefined` where `append` is the way.
   * @throws {StreamError} As `append` rejects; a full channel is for `append`, which ends it.
   */
  appendNow(writer: Writer, batch: AppendBatch): AppendResult | undefined {
    const { store } = this.#context;
    if (store.appendNow === undefined) return undefined;
    if (this.keyed) refusePlaintext(batch.text);
    try {
      return store.appendNow(this.id, writer, batch);
    } catch (error) {
      if (error instanceof StreamError && error.code === "limit") return undefined;
      throw error;
    }
  }

  async #appendWithCare(
    writer: Writer,
    batch: AppendBatch,
    close?: CloseKind,
  ): Promise<AppendResult> {
    if (writer.origin === "producer") {
      if (this.keyed) refusePlaintext(batch.text);
      if (close !== undefined) refuseFalseEnd(batch, close);
    }
    let closing = close;
    let content = batch;
    let failing: ReturnType<typeof failingStatus> | undefined;
    if (close === "error" && this.#supervision.alive) {
      failing = failingStatus(batch, this.keyed);
      content = failing.batch;
      closing = undefined;
    }
    const result = await this.#context.store.append(
      this.id,
      writer,
      content,
      closing && { close: closing },
    ).catch(this.#refused);
    if (failing && !this.end) {
      await this.#tellFailure(failureIn(batch), failing.status, result.appended > 0);
    }
    if (closing === "error" && result.appended === 0 && !result.end) {
      // sent again after the lease ran out: it stands in the log as a status already
      const { end } = await this.setEnd("relay", "error", failureIn(batch));
      return { ...result, end };
    }
    return result;
  }

  async #tellFailure(failure: Failure, status: ProducerStatus, news: boolean): Promise<void> {
    this.#supervision.producerFailed(failure);
    const told = await withSession(this.#context.store, this.id, this.next, status);
    this.#supervision.tellFailure(failure, told, news);
  }

  /** A full channel ends; made once, not for every append. */
  #refused = async (error: unknown): Promise<never> => {
    if (error instanceof StreamError && error.code === "limit") {
      await this.setEnd("relay", "error", error.toJSON());
    }
    throw error;
  };

  /** Appends a status of the supervisor's or the relay's own. */
  async status(
    origin: "supervisor" | "relay",
    status: ProducerStatus,
  ): Promise<void> {
    if (this.end) return;
    const told = this.keyed ? withoutOutput(status) : status;
    await this.append({ origin }, { n: 1, text: statusRecord(told) });
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
      ...(this.keyed ? withoutOutput(error) : error),
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
      ack: this.#producer && this.#producer.face !== "http" ? "producer" : "recorded",
    };
  }

  /** Sets the lease. */
  async renew(seconds: number, onDisconnect?: OnDisconnect): Promise<void> {
    const until = seconds > 0 ? Date.now() + seconds * 1000 : 0;
    this.#supervision.renew(until, onDisconnect);
    await this.#context.store.renew(this.id, until, onDisconnect);
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
   * @throws {StreamError} `fenced` when a newer one connected since this one claimed.
   */
  attachProducer(link: ProducerLink): (vanished: boolean) => void {
    const other = this.#producer;
    if (other && other.epoch > link.epoch) {
      // a newer one claimed and connected while this one was still on its way in
      throw new StreamError("fenced", "A newer producer has claimed the channel");
    }
    this.#producer = link;
    // its own old connection is no rival: which of the two it still listens to, it alone knows
    if (other?.epoch === link.epoch) other.gone(replaced());
    else other?.fence();
    const supervision = this.#supervision;
    supervision.producerCame(!this.#claimed);
    this.#claimed = true;
    supervision.notify({ state: "connected", epoch: link.epoch });
    if (this.#saidAway && !this.end) {
      this.#saidAway = false;
      this.#quietly(this.status("relay", { state: "running", reason: "The producer is back" }));
    }
    return (vanished) => {
      if (this.#producer !== link) return;
      this.#producer = undefined;
      if (vanished && !this.end && !this.#dead) {
        supervision.producerWent();
        if (supervision.alive) {
          this.#saidAway = true;
          supervision.notify({ state: "disconnected" });
          this.#quietly(this.status("relay", { state: "disconnected" }));
        }
      }
      this.#settle();
    };
  }

  /**
   * Connects a consumer.
   *
   * @param sink Where it takes things.
   * @param from The first offset wanted.
   * @returns Its reader, and what disconnects it.
   * @throws {StreamError} `bad_offset` when `from` lies beyond the tail.
   */
  attachReader(sink: ReaderSink, from: number): { reader: Reader; leave: () => void } {
    if (from > this.next) {
      throw new StreamError(
        "bad_offset",
        `Cannot read from offset ${from}: the channel's tail is ${this.next}, expected no more than that`,
        { details: { next: this.next } },
      );
    }
    const { store, stalled } = this.#context;
    const reader = new Reader(this, store, sink, from, stalled);
    this.#readers = [...this.#readers, reader];
    const leave = () => {
      reader.leave();
      this.#readers = this.#readers.filter((other) => other !== reader);
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
   * @returns Disconnects it, with the seconds its lease runs on; without them the lease is given up.
   */
  attachSupervisor(
    link: SupervisorLink,
    lease: number,
    onDisconnect?: OnDisconnect,
  ): (lease?: number) => void {
    const supervision = this.#supervision;
    supervision.attach(link);
    if (!this.end) {
      this.#quietly(this.renew(lease, onDisconnect));
      if (supervision.producerAway) link.status({ state: "disconnected" });
      else if (this.#producer) link.status({ state: "connected", epoch: this.#producer.epoch });
      if (supervision.failing) link.status(supervision.failing);
    }
    return (seconds) => {
      if (supervision.detach(link) && !this.end && !this.#dead) {
        this.#quietly(this.renew(seconds ?? 0));
        if (seconds !== undefined) supervision.leave(this.#claimed);
      }
      this.#settle();
    };
  }

  /** Sends everybody away and lets the live channel go, with its clocks. */
  leave(why: StreamError): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#again.clear();
    this.#supervision.finish();
    this.#producer?.gone(why);
    for (const reader of this.#readers) reader.gone(why);
    for (const supervisor of [...this.#supervision.links]) supervisor.gone(why);
    this.#unwatch();
    this.#context.idle(this);
  }

  // --- what the store tells ---

  /** See `Watcher.records`. */
  records(next: number, frame?: StoredFrame): void {
    this.next = next;
    for (const reader of this.#readers) reader.offer(frame);
  }

  /** See `Watcher.ended`. */
  ended(end: ChannelEnd): void {
    this.end = end;
    this.#context.noted(this);
    this.#supervision.finish();
    for (const reader of this.#readers) reader.pump();
    for (const supervisor of this.#supervision.links) supervisor.ended(end);
    // the producer whose own record is the end is told by its face, after the acknowledgement
    if (end.by !== "producer") this.#producer?.ended(end);
    this.#settle();
  }

  /** See `Watcher.cancelled`. */
  cancelled(cancel: CancelRequest): void {
    this.cancel = cancel;
    this.#context.noted(this);
    this.#producer?.cancel(cancel);
    for (const supervisor of this.#supervision.links) supervisor.cancel(cancel);
  }

  /** See `Watcher.gone`. */
  gone(): void {
    const why = "The channel is gone: its time was over or it was deleted";
    this.leave(new StreamError("expired", why));
  }

  get #needed(): boolean {
    return this.#holds > 0 || this.#producer !== undefined || this.#readers.length > 0 ||
      this.#supervision.links.size > 0 || this.#supervision.armed || this.#again.armed;
  }

  /** Lets the live channel go when nothing needs it. */
  #settle(): void {
    if (this.#dead || this.#needed) return;
    this.#dead = true;
    this.#unwatch();
    this.#context.idle(this);
  }

  /**
   * For an end or a cancel of the relay's own, which nobody else would ask for again: a store that takes
   * nothing now, for a disk that is full, is tried until it does.
   */
  #surely(work: () => Promise<unknown>): void {
    this.#quietly(
      work().catch((error) => {
        if (!(error instanceof StreamError && error.code === "overloaded") || this.#dead) return;
        this.#undone.push(work);
        this.#again.set(Date.now() + TRY_AGAIN_MS, () => {
          for (const each of this.#undone.splice(0)) this.#surely(each);
        });
      }),
    );
  }

  /** For what nobody waits for: a channel that ended or went meanwhile is no failure. */
  #quietly(work: Promise<unknown>): void {
    const release = this.hold();
    work.catch(() => {}).finally(release);
  }
}

function replaced(): StreamError {
  return new StreamError("replaced", "The same producer has connected again");
}
