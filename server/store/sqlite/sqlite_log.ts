/**
 * One channel of the sqlite store. Its state is kept here, ahead of the disk by what is being committed;
 * its frames are on the disk alone.
 *
 * @module
 */
import type { CancelRequest, ChannelEnd, OnDisconnect } from "../../../stream/mod.ts";
import { LogRules } from "../log_rules.ts";
import type { ChannelInfo, CreateOptions, StoredFrame } from "../store.ts";
import type { LoadedChannel, TailRow } from "./thread_messages.ts";

/** Into how many parts a log that drops its oldest is divided: what is dropped is dropped by the part. */
const PARTS = 64;

/** Where a log puts what has to be committed. */
export interface Outbox {
  /** A new frame. */
  frame(log: SqliteLog, frame: StoredFrame): void;
  /** The input comes, is replaced, or goes. */
  input(log: SqliteLog, input: Uint8Array | null): void;
  /** Frames before the log's first offset go. */
  trim(log: SqliteLog): void;
  /** The log's rows changed. */
  touched(log: SqliteLog): void;
  /** The log holds so many bytes more. */
  grown(bytes: number): void;
}

/** What a call brought about, for whoever watches to be told once it is committed. */
export interface Happened {
  /** A frame was appended. */
  frame?: StoredFrame;
  /** The end was set. */
  end?: ChannelEnd;
  /** A cancel was asked for. */
  cancel?: CancelRequest;
}

/** What of a channel is one JSON text. */
interface SavedState {
  options: CreateOptions;
  incarnation: string;
  created: number;
  claims: ChannelInfo["claims"];
  end?: ChannelEnd;
  cancel?: CancelRequest;
  onDisconnect?: OnDisconnect;
  leaseUntil?: number;
  lease: number;
  expires: number;
  parts: Part[];
}

interface Part {
  first: number;
  bytes: number;
}

/** The state of one channel. */
export class SqliteLog extends LogRules {
  /** Its number in the database. */
  readonly number: number;
  /** What the call under way brought about; taken by the store after each call. */
  happened?: Happened;
  /** Whether its row, and whether its tail, differs from what was sent to be committed. */
  dirty: { state: boolean; tail: boolean } = { state: false, tail: false };
  /** Whether it was deleted. */
  deleted = false;
  /** The transaction that its last change goes into. */
  transaction = 0;
  #outbox: Outbox;
  #lease = 0;
  #parts: Part[] = [];

  /**
   * @param number Its number in the database.
   * @param options What it is to be.
   * @param incarnation Its random id.
   * @param outbox Where it puts what has to be committed.
   */
  constructor(
    number: number,
    options: CreateOptions,
    incarnation: string,
    outbox: Outbox,
  ) {
    super(options, incarnation);
    this.number = number;
    this.#outbox = outbox;
  }

  /** A channel as it was committed. */
  static load(loaded: LoadedChannel, outbox: Outbox): SqliteLog {
    const { options, incarnation }: SavedState = JSON.parse(loaded.state);
    const log = new SqliteLog(loaded.number, options, incarnation, outbox);
    log.restore(loaded);
    return log;
  }

  /** Goes back to what was committed. */
  restore(loaded: LoadedChannel): void {
    const saved: SavedState = JSON.parse(loaded.state);
    const { info } = this;
    info.created = saved.created;
    info.first = loaded.first;
    info.next = loaded.next;
    info.bytes = loaded.bytes;
    info.claims = saved.claims;
    const newest = info.claims.at(-1);
    if (newest) newest.next = loaded.claimed;
    info.end = saved.end;
    info.cancel = saved.cancel;
    info.onDisconnect = saved.onDisconnect;
    info.leaseUntil = saved.leaseUntil;
    info.expires = saved.end ? saved.expires : Date.now() + this.options.ttl;
    this.streamSeq = loaded.stream_seq ?? undefined;
    this.#lease = saved.lease;
    this.#parts = saved.parts;
    // the last part has grown since it was saved
    const last = this.#parts.at(-1);
    if (last) last.bytes += info.bytes - sizeOf(this.#parts);
    this.happened = undefined;
    this.deleted = false;
    this.dirty = { state: false, tail: false };
  }

  /** After a restart of the relay, a lease that held when it was last alive counts anew. */
  restarted(alive: number): void {
    const { info } = this;
    if (info.end || info.leaseUntil === undefined || info.leaseUntil <= alive) return;
    info.leaseUntil = Date.now() + this.#lease;
    this.changed();
  }

  /** It is new: there is no row of it yet. */
  created(): void {
    this.changed();
  }

  /** Its state as one JSON text. */
  stateRow(): [number, string, string] {
    const { info } = this;
    const state: SavedState = {
      options: this.options,
      incarnation: info.incarnation,
      created: info.created,
      claims: info.claims,
      end: info.end,
      cancel: info.cancel,
      onDisconnect: info.onDisconnect,
      leaseUntil: info.leaseUntil,
      lease: this.#lease,
      expires: info.expires,
      parts: this.#parts,
    };
    return [this.number, info.id, JSON.stringify(state)];
  }

  /** Its tail as a row. */
  tailRow(): TailRow {
    const { first, next, bytes, claims } = this.info;
    return [
      this.number,
      first,
      next,
      bytes,
      claims.at(-1)?.next ?? 0,
      this.streamSeq ?? null,
    ];
  }

  /** See `Store.renew`. */
  override renew(until: number, onDisconnect?: OnDisconnect): void {
    this.#lease = Math.max(0, until - Date.now());
    super.renew(until, onDisconnect);
  }

  /** See `Store.putInput`. */
  putInput(input: Uint8Array): void {
    this.refuseEnded();
    this.#outbox.input(this, input);
  }

  /**
   * Drops the frames before one.
   *
   * @param boundary Where that frame begins.
   * @param bytes Size of what goes.
   */
  trimTo(boundary: number, bytes: number): void {
    const { info } = this;
    if (boundary <= info.first) return;
    info.first = boundary;
    info.bytes -= bytes;
    this.#outbox.grown(-bytes);
    this.#outbox.trim(this);
    const kept = this.#parts.findLastIndex(({ first }) => first <= boundary);
    this.#parts.splice(0, kept);
    const [part] = this.#parts;
    if (part) {
      part.first = boundary;
      part.bytes += info.bytes - sizeOf(this.#parts);
    }
    this.changed();
  }

  /** Begins with what another log holds up to an offset. */
  forked(first: number, next: number, bytes: number): void {
    Object.assign(this.info, { first, next, bytes });
    this.#outbox.grown(bytes);
    this.changed();
  }

  protected override kept(frame: StoredFrame): void {
    const size = frame.text.length;
    this.#outbox.frame(this, frame);
    this.#outbox.grown(size);
    (this.happened ??= {}).frame = frame;
    this.dirty.tail = true;
    // where a claim's records begin is saved with the claim
    if (this.info.claims.at(-1)?.first === frame.first) this.dirty.state = true;
    this.#outbox.touched(this);
    if (this.options.whenFull === "drop-oldest") this.#divide(frame, size);
  }

  /** Part by part: a part knows its size, so no frame has to be looked at. */
  protected override dropOldest(bytes: number): void {
    const { info } = this;
    let left = info.bytes;
    let boundary = info.first;
    while (left > bytes) {
      const part = this.#parts.shift();
      left -= part?.bytes ?? left;
      boundary = this.#parts[0]?.first ?? info.next;
    }
    this.trimTo(boundary, info.bytes - left);
  }

  protected override ended(end: ChannelEnd): void {
    (this.happened ??= {}).end = end;
    this.#outbox.input(this, null);
    this.changed();
  }

  protected override cancelled(cancel: CancelRequest): void {
    (this.happened ??= {}).cancel = cancel;
    this.changed();
  }

  protected override changed(): void {
    this.dirty.state = true;
    this.dirty.tail = true;
    this.#outbox.touched(this);
  }

  #divide({ first }: StoredFrame, size: number): void {
    const last = this.#parts.at(-1);
    if (last && last.bytes < this.info.maxBytes / PARTS) {
      last.bytes += size;
    } else {
      this.#parts.push({ first, bytes: size });
      // the sizes of the finished parts are saved with the state
      this.dirty.state = true;
    }
  }
}

function sizeOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { bytes }) => sum + bytes, 0);
}
