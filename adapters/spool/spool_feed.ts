/**
 * Hands what a job writes into its spool to the relay, under the job's own claim: the same records, in
 * the same order, each once, whoever follows the spool and however often.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { BackOff } from "../../client/back_off.ts";
import { ControlClient } from "../../client/mod.ts";
import { StreamError } from "../../stream/stream_error.ts";
import type { CloseKind } from "../../stream/v2_frame.ts";
import type { Machine } from "../program_runner.ts";
import {
  nextSpoolPiece,
  type SpoolClaim,
  type SpoolFrame,
  type SpoolPiece,
} from "./spool_frames.ts";
import {
  type Following,
  type SpoolListener,
  type SpoolPlace,
  type SpoolTimings,
  SpoolWatch,
} from "./spool_watch.ts";

/** What a {@linkcode SpoolFeed} is told. */
export interface SpoolFeedOptions {
  /** Where the spool is. */
  machine: Machine;
  /** Its path there. */
  folder: string;
  /** The relay, as seen from here. */
  relay: string;
  /** The channel. */
  channel: string;
  /** The channel's produce token. */
  token: string;
  /** Intervals. */
  timings: SpoolTimings;
  /** Milliseconds that a relay which can't be reached is tried for. */
  giveUpAfter?: number;
  /** The spool can't be followed at the moment. */
  trouble(error: StreamError): void;
  /** It can't be for good. */
  broken(error: StreamError): void;
}

/** Bytes of records in one request; the relay takes 256 KiB. */
const REQUEST = 192 * 1_024;

/** Bytes that wait for the relay before no more are read. */
const QUEUE = 8 * 1_048_576;

/** How often a place that can't be read is read again: what was written elsewhere may not show yet. */
const REREADS = 20;

type Item = SpoolPiece | { skipped: number };

/** Follows one spool for as long as its channel has no end. */
export class SpoolFeed implements SpoolListener {
  #options: SpoolFeedOptions;
  #control: ControlClient;
  #stop = new AbortController();
  #following?: Following;
  /** Behind the last whole piece. */
  #place: SpoolPlace = { number: 1, at: 0 };
  /** What was read behind it. */
  #rest = new Uint8Array();
  #claimed = false;
  #rereads = 0;
  #queue: Item[] = [];
  #waiting = 0;
  #paused = false;
  #busy = false;
  #closed?: CloseKind;
  #instance = "";
  #epoch = 0;
  #next = 0;
  #wake?: () => void;
  #settling: (() => void)[] = [];
  #synced = false;
  /** The trouble that was told last. */
  #told?: string;
  #running: Promise<void>;

  /** @param options The spool, and where it goes. */
  constructor(options: SpoolFeedOptions) {
    this.#options = options;
    const { relay: url, token } = options;
    this.#control = new ControlClient({ url, token, signal: this.#stop.signal });
    this.#running = this.#run().catch((error) => {
      if (!this.#stop.signal.aborted) options.broken(StreamError.from(error));
    }).finally(() => this.#release());
  }

  /**
   * Hands over what the job wrote before it ended: the scheduler may know of that first.
   *
   * @param heard Whether the relay has told of the last record; it does so on a way of its own.
   */
  async settle(heard: () => boolean): Promise<void> {
    if (!this.#closed) await this.#catchUp();
    const until = Date.now() + this.#options.timings.spoolRetry;
    while (this.#closed && !heard() && Date.now() < until) {
      await this.#pause(50).catch(() => {});
      if (this.#stop.signal.aborted) return;
    }
  }

  async #catchUp(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#synced = false;
      this.#settling.push(resolve);
      this.#following?.sync();
      // whoever can't look can't tell; the scheduler can
      timer = setTimeout(resolve, this.#options.timings.spoolRetry * 6);
    });
    clearTimeout(timer);
  }

  /** Lets go of the spool. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake?.();
    await Promise.all([this.#following?.stop(), this.#running]);
  }

  place(): SpoolPlace {
    this.#rest = new Uint8Array();
    return this.#place;
  }

  bytes(place: SpoolPlace, bytes: Uint8Array): void {
    this.#told = undefined;
    // a file that became shorter: half a frame was taken back
    if (place.at !== this.#place.at + this.#rest.length) return this.#following?.seek();
    this.#rest = joined(this.#rest, bytes);
    try {
      this.#take();
    } catch (error) {
      this.#reread(StreamError.from(error));
    }
    if (this.#waiting > QUEUE) {
      this.#paused = true;
      this.#following?.pause();
    }
  }

  next(number: number): void {
    // an attempt that died before it wrote a word has had its number, too
    if (!this.#claimed) this.#put({ skipped: this.#place.number });
    this.#place = { number, at: 0 };
    this.#rest = new Uint8Array();
    this.#claimed = false;
  }

  synced(): void {
    this.#synced = true;
    this.#wake?.();
  }

  trouble(error: StreamError): void {
    if (this.#told === error.message) return;
    this.#told = error.message;
    this.#options.trouble(error);
  }

  /** Takes whole pieces off what was read. */
  #take(): void {
    let taken = 0;
    try {
      for (;;) {
        const found = nextSpoolPiece(this.#rest.subarray(taken));
        if (found === undefined) return;
        taken += found.size;
        this.#rereads = 0;
        if ("claim" in found.piece) this.#claimed = true;
        this.#put(found.piece);
      }
    } finally {
      this.#rest = this.#rest.subarray(taken);
      this.#place = { number: this.#place.number, at: this.#place.at + taken };
    }
  }

  #put(item: Item): void {
    this.#queue.push(item);
    this.#waiting += sizeOf(item);
    this.#wake?.();
  }

  #reread(error: StreamError): void {
    if (++this.#rereads > REREADS) {
      this.stop().catch(() => {});
      const { number, at } = this.#place;
      return this.#options.broken(
        new StreamError("producer_lost", `${error.message}, at byte ${at} of ${number}.spool`),
      );
    }
    this.#following?.pause();
    this.#pause(this.#rereads === 1 ? 0 : this.#options.timings.spoolRetry)
      .then(() => this.#following?.seek(), () => {});
  }

  async #run(): Promise<void> {
    const { machine, folder, channel, timings } = this.#options;
    const { signal } = this.#stop;
    const { claims, end } = await this.#persist(() => this.#control.info(channel));
    if (end || signal.aborted) return;
    // of the attempts before the last one nothing more is wanted
    this.#place = { number: Math.max(1, claims.at(-1)?.epoch ?? 1), at: 0 };
    this.#following = SpoolWatch.of(machine, timings).follow(folder, this);
    if (this.#settling.length > 0) this.#following.sync();
    while (!signal.aborted) {
      const item = this.#queue.shift();
      if (item === undefined) {
        if (this.#synced) this.#release();
        await new Promise<void>((resolve) => this.#wake = resolve);
        continue;
      }
      this.#waiting -= sizeOf(item);
      if ("skipped" in item) {
        await this.#claim({ instance: `skipped-${item.skipped}`, epoch: item.skipped });
      } else if ("claim" in item) await this.#claim(item.claim);
      else await this.#deliver(item.frame);
      if (this.#closed === "done" || this.#closed === "sealed") break;
      if (this.#paused && this.#queue.length === 0) {
        this.#paused = false;
        this.#following.seek();
      }
    }
    // a job that failed may be started over
    this.#following.stop().catch(() => {});
  }

  async #claim({ instance, epoch, continues }: SpoolClaim): Promise<void> {
    const { channel } = this.#options;
    const claim = await this.#persist(() => this.#control.claim(channel, { instance, continues }));
    if (claim.epoch !== epoch) {
      throw new StreamError(
        "conflict",
        `The relay gives attempt ${epoch} of the spool epoch ${claim.epoch}: somebody else writes to the channel`,
      );
    }
    this.#closed = undefined;
    this.#instance = instance;
    this.#epoch = epoch;
    this.#next = claim.next;
  }

  /** Sends a frame, and what waits behind it, until the relay has it. */
  async #deliver(first: SpoolFrame): Promise<void> {
    const frame = { ...first };
    while (frame.close === undefined && frame.bytes < REQUEST) {
      const item = this.#queue[0];
      if (item === undefined || !("frame" in item)) break;
      const { n, text, bytes, close } = item.frame;
      if (frame.bytes + bytes > REQUEST && n > 0 && frame.n > 0) break;
      this.#queue.shift();
      this.#waiting -= sizeOf(item);
      if (n === 0) continue;
      if (frame.n === 0) Object.assign(frame, item.frame);
      else {Object.assign(frame, {
          n: frame.n + n,
          text: `${frame.text}\n${text}`,
          bytes: frame.bytes + bytes,
          close,
        });}
    }
    const { n, s, text: body, close } = frame;
    const until = s + n;
    while (n === 0 || this.#next < until) {
      if (s > this.#next) {
        throw new StreamError(
          "producer_lost",
          `The spool goes on with record ${s} of its attempt, expected ${this.#next}`,
        );
      }
      const { next, end } = await this.#persist(() =>
        this.#control.records(this.#options.channel, {
          instance: this.#instance,
          epoch: this.#epoch,
          seq: n === 0 ? this.#next : s,
          body,
          ...(close && { close }),
        })
      );
      if (end !== undefined && close === undefined) this.#stop.abort();
      if (n === 0 || this.#stop.signal.aborted) return;
      if (next <= this.#next) throw new StreamError("relay_restarted", "The relay lost records");
      this.#next = next;
    }
    this.#closed = close;
    if (close !== undefined) this.#release();
  }

  /** Repeats a request while that can help. */
  async #persist<T>(request: () => Promise<T>): Promise<T> {
    const backOff = new BackOff({ base: 200, cap: 10_000 });
    const over = Date.now() + (this.#options.giveUpAfter ?? 600_000);
    for (;;) {
      try {
        return await request();
      } catch (error) {
        const retry = error instanceof StreamError && error.retry && Date.now() < over;
        if (!retry || this.#stop.signal.aborted) throw error;
        await this.#pause(backOff.next());
      }
    }
  }

  #pause(milliseconds: number): Promise<void> {
    return delay(milliseconds, { signal: this.#stop.signal });
  }

  #release(): void {
    for (const resolve of this.#settling.splice(0)) resolve();
  }
}

function sizeOf(item: Item): number {
  return "frame" in item ? item.frame.bytes + 64 : 64;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
