/**
 * One channel of the memory store.
 *
 * @module
 */
import type { CancelRequest, ChannelEnd } from "../../stream/mod.ts";
import { LogRules } from "./log_rules.ts";
import type { StoredFrame } from "./store.ts";

/** Most records that are gathered into one frame of the log, and most UTF-16 units of them. */
const GATHERED = 64;
const GATHERED_UNITS = 16 * 1024;

/**
 * Single records that one producer wrote one after the other. An object and a frame for each would cost
 * more memory, and more time of the garbage collector, than the records themselves.
 */
class Gathered implements StoredFrame {
  readonly first: number;
  readonly origin: "producer" = "producer" as const;
  readonly epoch?: number;
  readonly seq?: number;
  /** Set once it was read: what was given away does not grow any more. */
  sealed = false;
  /** UTF-16 units of the records. */
  units: number;
  #lines: string[];
  #text?: string;

  constructor({ first, text, epoch, seq }: StoredFrame) {
    this.first = first;
    this.epoch = epoch;
    this.seq = seq;
    this.units = text.length;
    this.#lines = [text];
  }

  get n(): number {
    return this.#lines.length;
  }

  get text(): string {
    return this.#text ??= this.#lines.join("\n");
  }

  /** Takes a record that comes right behind, if it is of the same claim and there is room. */
  take({ n, text, origin, epoch, seq }: StoredFrame): boolean {
    const { length } = this.#lines;
    if (this.sealed || length >= GATHERED || n !== 1 || origin !== "producer") return false;
    if (this.units + text.length > GATHERED_UNITS) return false;
    if (epoch !== this.epoch || seq !== (this.seq ?? 0) + length) return false;
    this.#lines.push(text);
    this.units += text.length;
    this.#text = undefined;
    return true;
  }
}

/** A log whose frames lie in an array; whoever watches is told at once. */
export class MemoryLog extends LogRules {
  /** The prompt. */
  input?: Uint8Array;
  #frames: StoredFrame[] = [];

  /** See `Store.putInput`. */
  putInput(input: Uint8Array): void {
    this.refuseEnded();
    this.input = input;
  }

  /** See `Store.read`. */
  read(from: number, maxBytes: number): StoredFrame[] {
    const frames = this.#frames;
    let low = 0;
    let high = frames.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (frames[middle].first + frames[middle].n <= from) low = middle + 1;
      else high = middle;
    }
    let end = low;
    for (let bytes = 0; end < frames.length && bytes < maxBytes; end++) {
      bytes += unitsOf(frames[end]);
    }
    const last = frames[end - 1];
    if (last instanceof Gathered) last.sealed = true;
    return frames.slice(low, end);
  }

  /** See `Store.trim`. */
  trim(before: number): void {
    let drop = 0;
    while (drop < this.#frames.length) {
      const frame = this.#frames[drop];
      if (frame.first + frame.n > before) break;
      this.info.bytes -= unitsOf(frame);
      drop++;
    }
    this.#frames.splice(0, drop);
    this.info.first = this.#frames[0]?.first ?? this.info.next;
  }

  protected override kept(frame: StoredFrame): void {
    this.#keep(frame);
    for (const watcher of this.watchers) watcher.records(this.info.next, frame);
  }

  protected override dropOldest(bytes: number): void {
    let left = this.info.bytes;
    let before = this.info.first;
    for (const frame of this.#frames) {
      if (left <= bytes) break;
      left -= unitsOf(frame);
      before = frame.first + frame.n;
    }
    this.trim(before);
  }

  protected override ended(end: ChannelEnd): void {
    this.input = undefined;
    for (const watcher of this.watchers) watcher.ended(end);
  }

  protected override cancelled(cancel: CancelRequest): void {
    for (const watcher of this.watchers) watcher.cancelled(cancel);
  }

  protected override changed(): void {}

  #keep(frame: StoredFrame): void {
    const last = this.#frames.at(-1);
    if (last instanceof Gathered && last.take(frame)) return;
    const single = frame.n === 1 && frame.origin === "producer";
    this.#frames.push(single ? new Gathered(frame) : frame);
  }
}

function unitsOf(frame: StoredFrame): number {
  return frame instanceof Gathered ? frame.units : frame.text.length;
}
