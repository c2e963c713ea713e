/**
 * One channel of the memory store.
 *
 * @module
 */
import type { CancelRequest, ChannelEnd } from "../../stream/mod.ts";
import { Gathered } from "./gathered.ts";
import { LogRules } from "./log_rules.ts";
import type { StoredFrame } from "./store.ts";

/** A gathered frame holds at most this part of what its channel may: the oldest is dropped as a whole. */
const MOST_OF_A_CHANNEL = 16;

/** A log whose frames lie in an array; whoever watches is told at once. */
export class MemoryLog extends LogRules {
  /** The prompt. */
  input?: Uint8Array;
  #frames: (StoredFrame | Gathered)[] = [];
  /** The last frame, where it may still grow. */
  #gathering?: Gathered;

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
    return frames.slice(low, end).map((frame) => frame instanceof Gathered ? frame.read() : frame);
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
    if (this.#frames.length === 0) this.#gathering = undefined;
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
    this.#gathering?.seal();
    for (const watcher of this.watchers) watcher.ended(end);
  }

  protected override cancelled(cancel: CancelRequest): void {
    for (const watcher of this.watchers) watcher.cancelled(cancel);
  }

  protected override changed(): void {}

  #keep(frame: StoredFrame): void {
    if (!Gathered.suits(frame)) {
      this.#gathering?.seal();
      this.#gathering = undefined;
      // a copy: were the one that passes by sometimes kept, V8 would put all of them into its old space
      this.#frames.push({ ...frame });
    } else if (!this.#gathering?.take(frame)) {
      this.#gathering = new Gathered(
        frame,
        this.info.maxBytes / MOST_OF_A_CHANNEL,
        this.#gathering,
      );
      this.#frames.push(this.#gathering);
    }
  }
}

function unitsOf(frame: StoredFrame | Gathered): number {
  return frame instanceof Gathered ? frame.units : frame.text.length;
}
