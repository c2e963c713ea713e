/**
 * One channel of the memory store.
 *
 * @module
 */
import type { CancelRequest, ChannelEnd } from "../../stream/mod.ts";
import { LogRules } from "./log_rules.ts";
import type { StoredFrame } from "./store.ts";

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
      bytes += frames[end].text.length;
    }
    return frames.slice(low, end);
  }

  /** See `Store.trim`. */
  trim(before: number): void {
    let drop = 0;
    while (drop < this.#frames.length) {
      const frame = this.#frames[drop];
      if (frame.first + frame.n > before) break;
      this.info.bytes -= frame.text.length;
      drop++;
    }
    this.#frames.splice(0, drop);
    this.info.first = this.#frames[0]?.first ?? this.info.next;
  }

  protected override kept(frame: StoredFrame): void {
    this.#frames.push(frame);
    for (const watcher of this.watchers) watcher.records(this.info.next, frame);
  }

  protected override dropOldest(bytes: number): void {
    let left = this.info.bytes;
    let before = this.info.first;
    for (const frame of this.#frames) {
      if (left <= bytes) break;
      left -= frame.text.length;
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
}
