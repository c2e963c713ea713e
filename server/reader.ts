/**
 * One reader's place in a channel: takes what is committed live, and catches up from the store when it
 * fell behind. Replay and live are one path, so nothing can be lost or doubled between them.
 *
 * @module
 */
import type { ChannelEnd, StreamError } from "../stream/mod.ts";
import { joinFrames } from "./join_frames.ts";
import type { Store, StoredFrame } from "./store/store.ts";

/** Bytes read from the store at a time while catching up. */
const READ_BYTES = 256 * 1024;

/** Where a {@linkcode Reader} delivers to. */
export interface ReaderSink {
  /** About how many UTF-16 units may be sent now; at 0 the reader waits, and goes on from its offset. */
  room(): number;
  /** Whether it pumps the reader itself once it is ready again; otherwise it is looked at now and then. */
  wakes(): boolean;
  /** Takes a frame, of which records before `from` were delivered already. */
  frame(frame: StoredFrame, from: number): void;
  /** Takes the news that records `from` to `to` were dropped. */
  gap(from: number, to: number): void;
  /** Takes the end, after the tail. */
  ended(end: ChannelEnd): void;
  /** Takes a failure to read. */
  failed(error: unknown): void;
  /** Takes the news that the channel is gone, or the relay about to go. */
  gone(why: StreamError): void;
}

/** What a reader has to know of its channel. */
export interface ReadableChannel {
  /** Its name. */
  readonly id: string;
  /** The tail. */
  readonly next: number;
  /** The end, once set. */
  readonly end?: ChannelEnd;
}

/** A cursor that pushes. */
export class Reader {
  /** The next offset wanted. */
  next: number;
  #channel: ReadableChannel;
  #store: Store;
  #sink: ReaderSink;
  #stalled: StalledReaders;
  #busy = false;
  #left = false;

  /**
   * @param channel What is read.
   * @param store Where what is behind lies.
   * @param sink Where it goes.
   * @param from The first offset wanted.
   * @param stalled Pumps it again later when the sink was not ready.
   */
  constructor(
    channel: ReadableChannel,
    store: Store,
    sink: ReaderSink,
    from: number,
    stalled: StalledReaders,
  ) {
    this.#channel = channel;
    this.#store = store;
    this.#sink = sink;
    this.next = from;
    this.#stalled = stalled;
  }

  /** Takes a frame that was committed just now; the fast path of a reader that keeps up. */
  offer(frame: StoredFrame | undefined): void {
    if (this.#busy || this.#left) return;
    if (frame?.first !== this.next || this.#sink.room() <= 0) {
      this.pump();
      return;
    }
    try {
      this.#sink.frame(frame, frame.first);
      this.next += frame.n;
    } catch (error) {
      // one broken reader must fail neither the append nor the others
      this.#sink.failed(error);
    }
  }

  /** Delivers whatever there is, as far as the sink takes it. */
  async pump(): Promise<void> {
    if (this.#busy || this.#left) return;
    this.#busy = true;
    try {
      // a last look and the end of being busy are one step: what is committed next finds it idle
      while (!this.#rest()) await this.#deliver();
    } catch (error) {
      this.#busy = false;
      if (!this.#left) this.#sink.failed(error);
    }
  }

  /** See {@linkcode ReaderSink.gone}. */
  gone(why: StreamError): void {
    this.#sink.gone(why);
  }

  /** Delivers nothing any more. */
  leave(): void {
    this.#left = true;
  }

  /** Whether there is nothing to deliver now; if so it is busy no more. */
  #rest(): boolean {
    const behind = this.next < this.#channel.next;
    if (!this.#left && behind && this.#sink.room() > 0) return false;
    this.#busy = false;
    if (this.#left) return true;
    if (behind) {
      if (!this.#sink.wakes()) this.#stalled.add(this);
    } else if (this.#channel.end) {
      this.#left = true;
      this.#sink.ended(this.#channel.end);
    }
    return true;
  }

  async #deliver(): Promise<void> {
    const tail = this.#channel.next;
    const frames = await this.#store.read(
      this.#channel.id,
      this.next,
      READ_BYTES,
    );
    for (let at = 0; at < frames.length;) {
      const room = this.#sink.room();
      if (this.#left || room <= 0) return;
      const { frame, to } = joinFrames(frames, at, room);
      at = to;
      if (frame.first > this.next) {
        this.#sink.gap(this.next, frame.first);
        this.next = frame.first;
      }
      this.#sink.frame(frame, this.next);
      this.next = frame.first + frame.n;
    }
    if (frames.length === 0 && !this.#left) {
      // everything up to the tail was dropped
      this.#sink.gap(this.next, tail);
      this.next = tail;
    }
  }
}

/**
 * Pumps stalled readers again. No transport tells when its queue has drained, so while any reader is
 * stalled, and only then, it looks every few milliseconds.
 */
export class StalledReaders {
  #readers = new Set<Reader>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Remembers a reader until the next look. */
  add(reader: Reader): void {
    this.#readers.add(reader);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const readers = [...this.#readers];
      this.#readers.clear();
      for (const each of readers) each.pump();
    }, 5);
  }

  /** Forgets all of them. */
  close(): void {
    clearTimeout(this.#timer);
    this.#readers.clear();
  }
}
