/**
 * Carries records by POST, for networks that let no WebSocket through: one request under way, gathering
 * meanwhile, and going on from the claim's next seq after a cut.
 *
 * @module
 */
import { type CloseKind, StreamError } from "../stream/mod.ts";
import { BackOff } from "./back_off.ts";
import type { ResolvedOptions } from "./client_options.ts";
import { ControlClient } from "./control_client.ts";
import type { RecordsAnswer } from "./control_types.ts";
import { FrameSealer } from "./frame_sealer.ts";
import type { Outbox } from "./outbox.ts";
import { endedBy } from "./producer_end.ts";
import type { ProducerEvents, ProducerIdentity, ProducerLink } from "./producer_link.ts";

const MAX_RECORDS = 512;
const MAX_UNITS = 128 * 1024;
/** The control API does not tell the relay's largest message; its default is 256 KiB. */
const MAX_MESSAGE = 256 * 1024;
/** A UTF-16 unit is three bytes of UTF-8 at most. */
const FRAME_UNITS = Math.min(MAX_UNITS, Math.floor(MAX_MESSAGE / 3));

interface Batch {
  lines: string[];
  seq: number;
  close?: CloseKind;
}

/** See the module. */
export class HttpProducerLink implements ProducerLink {
  readonly maxMessage: number = MAX_MESSAGE;
  #options: ResolvedOptions;
  #identity: ProducerIdentity;
  #outbox: Outbox;
  #events: ProducerEvents;
  #control: ControlClient;
  #sealer?: FrameSealer;
  #stop = new AbortController();
  #backOff: BackOff;
  #wake?: () => void;
  #pending = 0;
  #epoch = 0;
  #next = 0;
  #wasReady = false;
  #saidCancel = false;
  /** Whether there is something to hear that can't wait for the next sign of life. */
  #news = false;

  /**
   * @param options The client's options.
   * @param identity Who is writing.
   * @param outbox Where the records come from.
   * @param events What to call back.
   */
  constructor(
    options: ResolvedOptions,
    identity: ProducerIdentity,
    outbox: Outbox,
    events: ProducerEvents,
  ) {
    this.#options = options;
    this.#identity = identity;
    this.#outbox = outbox;
    this.#events = events;
    this.#backOff = new BackOff(options.retry);
    this.#control = new ControlClient({
      url: options.urls.join(","),
      token: options.token ?? "",
      timeout: identity.ackTimeout,
      signal: this.#stop.signal,
    });
    const { key, channel, encryption } = options;
    if (key !== undefined && encryption === "v2") {
      this.#sealer = new FrameSealer({ key, channel, continues: identity.continues });
    }
  }

  get pending(): number {
    return this.#pending;
  }

  start(): void {
    const { signal } = this.#options;
    const abort = () => this.close(StreamError.from(signal?.reason, "cancelled"));
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true, signal: this.#stop.signal });
    this.#run().catch((error) => {
      // after a close nobody listens, unless the client's own signal was what closed it
      if (this.#stop.signal.aborted && !signal?.aborted) return;
      this.close();
      this.#events.failed(StreamError.from(signal?.aborted ? signal.reason : error, "cancelled"));
    });
  }

  pump(): void {
    this.#wake?.();
  }

  close(why?: StreamError): void {
    this.#stop.abort(why);
    this.#wake?.();
  }

  async #run(): Promise<void> {
    const { instance, continues } = this.#identity;
    const { channel } = this.#options;
    const claim = await this.#persist(() =>
      this.#control.claim(channel, { instance, ...(continues && { continues }) })
    );
    this.#epoch = claim.epoch;
    this.#next = claim.next;
    this.#sealer?.claimed(claim.epoch, claim.next);
    this.#wasReady = true;
    this.#events.ready();
    this.#heed(claim);
    void this.#listen();
    for (;;) {
      this.#stop.signal.throwIfAborted();
      const batch = await this.#gather();
      if (batch !== undefined) {
        await this.#deliver(batch);
        if (batch.close !== undefined) break;
        this.#events.progress();
      } else if (await this.#idle()) {
        this.#heed(await this.#persist(() => this.#post({ lines: [], seq: this.#next })));
      }
    }
    this.close();
    this.#events.finished();
  }

  /** Takes what waits out of the outbox, and seals it where there is a key. */
  async #gather(): Promise<Batch | undefined> {
    if (this.#outbox.length === 0) return undefined;
    const most = this.#sealer ? FrameSealer.unitsWithin(MAX_MESSAGE) : FRAME_UNITS;
    const taken = this.#outbox.take(MAX_RECORDS, Math.min(MAX_UNITS, most));
    const closing = this.#outbox.length === 0 ? this.#outbox.closing : undefined;
    this.#pending = taken.reduce((sum, line) => sum + line.length, 0);
    const lines = await this.#sealer?.seal(taken, closing !== undefined) ?? taken;
    return { lines, seq: this.#next, close: closing?.kind };
  }

  /** Sends until the relay has all of it. */
  async #deliver(batch: Batch): Promise<void> {
    while (batch.lines.length > 0) {
      const answer = await this.#persist(() => this.#post(batch));
      const committed = answer.next - batch.seq;
      if (committed < 1 || committed > batch.lines.length) {
        throw new StreamError(
          "relay_restarted",
          `The relay ${
            this.#options.urls.join(" or ")
          } wants seq ${answer.next} next, expected one from ${batch.seq + 1} to ${
            batch.seq + batch.lines.length
          }`,
        );
      }
      batch.lines = batch.lines.slice(committed);
      this.#next = batch.seq = answer.next;
      if (batch.lines.length === 0) this.#pending = 0;
      this.#heed(answer, batch.close !== undefined);
    }
  }

  #post({ lines, seq, close }: Batch): Promise<RecordsAnswer> {
    return this.#control.records(this.#options.channel, {
      instance: this.#identity.instance,
      epoch: this.#epoch,
      seq,
      body: lines.join("\n"),
      ...(close !== undefined && { close }),
    });
  }

  /** What an answer says beside `next`. */
  #heed({ cancel, end }: Pick<RecordsAnswer, "cancel" | "end">, closing = false): void {
    if (cancel !== undefined && !this.#saidCancel) {
      this.#saidCancel = true;
      this.#events.cancelled(cancel);
    }
    if (end !== undefined && !closing) throw endedBy(end);
  }

  /** Hears of a cancel at once: the relay holds its answer back until there is one. */
  async #listen(): Promise<void> {
    const { instance, heartbeat, ackTimeout } = this.#identity;
    const wait = Math.min(heartbeat, ackTimeout / 2);
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const asked = Date.now();
      try {
        const { cancel, end } = await this.#control.records(this.#options.channel, {
          instance,
          epoch: this.#epoch,
          seq: 0,
          wait: wait / 1000,
        });
        if (cancel !== undefined || end !== undefined) {
          this.#news = true;
          return this.#wake?.();
        }
      } catch {
        // whoever sends finds out what is wrong
      }
      // a relay that holds no answer back is not asked more often than it wants signs of life
      if (!signal.aborted) await this.#pause(Math.max(0, asked + wait - Date.now()));
    }
  }

  /** Waits for something to send. Returns whether it is time for a sign of life. */
  #idle(): Promise<boolean> {
    // whoever called meanwhile found nobody to wake
    if (this.#outbox.length > 0 || this.#stop.signal.aborted) return Promise.resolve(false);
    if (this.#news) {
      this.#news = false;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const settle = (late: boolean) => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve(late);
      };
      const timer = setTimeout(() => settle(true), this.#identity.heartbeat);
      this.#wake = () => settle(false);
    });
  }

  /** Repeats a request while that can help, for as long as the patience lasts. */
  async #persist<T>(request: () => Promise<T>): Promise<T> {
    let since: number | undefined;
    for (;;) {
      try {
        const answer = await request();
        this.#backOff.reset();
        return answer;
      } catch (error) {
        const { giveUpAfter, firstGiveUpAfter } = this.#options.retry;
        const patience = this.#wasReady ? giveUpAfter : firstGiveUpAfter;
        const pause = this.#backOff.next();
        since ??= Date.now();
        const isFinal = !(error instanceof StreamError && error.retry);
        if (isFinal || this.#stop.signal.aborted || Date.now() - since + pause >= patience) {
          throw error;
        }
        await this.#pause(pause);
      }
    }
  }

  #pause(milliseconds: number): Promise<void> {
    const { signal } = this.#stop;
    return new Promise((resolve) => {
      const settle = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", settle);
        resolve();
      };
      const timer = setTimeout(settle, milliseconds);
      signal.addEventListener("abort", settle);
    });
  }
}
