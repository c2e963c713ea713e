/**
 * What the relay asks of whatever keeps its channels: an append-only log a channel, with claims, one
 * end and one cancel. Stores validate; everything a relay holds beside them is a hint.
 *
 * Every method refuses with a {@linkcode StreamError}: `not_found` or `expired` for a channel that is
 * not there, and the codes named at each method.
 *
 * @module
 */
import type { CancelRequest, ChannelEnd, CloseKind, OnDisconnect } from "../../stream/mod.ts";

/** How safe a committed frame is: `memory` dies with the process, `normal` survives `kill -9`, `full` power loss. */
export type SyncMode = "memory" | "normal" | "full";

/** Whether a channel holds JSON records of one claim, or is a stream of the Durable Streams protocol. */
export type ChannelKind = "exclusive" | "shared";

/** What a new channel is to be. */
export interface CreateOptions {
  /** Its name. */
  id: string;
  /** `exclusive` by default. */
  kind?: ChannelKind;
  /** Media type of its content; `application/json` by default. */
  contentType?: string;
  /** Whether its records are encrypted end to end; the relay never holds the key. */
  keyed?: boolean;
  /** Milliseconds it may live without connection, lease or end. */
  ttl: number;
  /** Milliseconds it is kept after its end. */
  retention: number;
  /** Most bytes of records it may hold. */
  maxBytes: number;
  /** What a full one does: refuse with `limit`, or drop its oldest and leave a gap. */
  whenFull?: "end" | "drop-oldest";
  /** Who owns it, for quotas: the token's subject. */
  owner?: string;
  /** Whether it was made by a connection rather than by name: such a one may be made again after it went. */
  implicit?: boolean;
}

/** A producer's hold on a channel. */
export interface Claim {
  /** Random id of the producer's process. */
  producerId: string;
  /** Counts the claims of the channel, from 1. */
  epoch: number;
  /** The seq wanted next. */
  next: number;
  /** Offset of its first record, once committed: in an encrypted channel, of its session record. */
  first?: number;
  /** Whether a newer claim has taken its place. */
  fenced: boolean;
}

/** What is known of a channel. */
export interface ChannelInfo {
  /** Its name. */
  id: string;
  /** Random id of this making of it. */
  incarnation: string;
  /** Exclusive or shared. */
  kind: ChannelKind;
  /** Media type of its content. */
  contentType: string;
  /** Whether its records are encrypted end to end. */
  keyed: boolean;
  /** Who owns it. */
  owner?: string;
  /** When it was made, in milliseconds since 1970. */
  created: number;
  /** First offset that is still there. */
  first: number;
  /** The tail: the offset of the next record. */
  next: number;
  /** Bytes of records held. */
  bytes: number;
  /** Most bytes it may hold. */
  maxBytes: number;
  /** Every claim, oldest first. */
  claims: Claim[];
  /** Its end, once set. */
  end?: ChannelEnd;
  /** The wish that its job stop, once made. */
  cancel?: CancelRequest;
  /** Until when its supervisor's lease runs, in milliseconds since 1970; absent without supervisor. */
  leaseUntil?: number;
  /** What the supervisor wants done when it goes away. */
  onDisconnect?: OnDisconnect;
  /** When it expires if nothing touches it, in milliseconds since 1970. */
  expires: number;
}

/** Who appends. */
export type Writer =
  | { origin: "producer"; id: string; epoch: number; seq: number; span: number }
  | { origin: "supervisor" | "relay" };

/** Records appended together and kept whole. */
export interface StoredFrame {
  /** Offset of the first record. */
  first: number;
  /** How many records. */
  n: number;
  /** The records, joined by LF. */
  text: string;
  /** Who wrote. */
  origin: "producer" | "supervisor" | "relay";
  /** The claim's epoch, when a producer wrote. */
  epoch?: number;
  /** Seq of the first record, when a producer wrote. */
  seq?: number;
}

/** What is to be appended. */
export interface AppendBatch {
  /** How many records. */
  n: number;
  /** The records, joined by LF; no record holds a line break. */
  text: string;
}

/** What goes with an append. */
export interface AppendOptions {
  /** Set when the last record ends the channel: log and end are committed together. */
  close?: CloseKind;
  /** The Durable Streams face's `Stream-Seq`: must be greater, as text, than the last one. */
  streamSeq?: string;
}

/** What an append did. */
export interface AppendResult {
  /** The channel's tail after it. */
  next: number;
  /** The seq wanted next of this claim; absent for supervisor and relay. */
  nextSeq?: number;
  /** How many records were new; the rest had been committed before. */
  appended: number;
  /** The end, when this append set it. */
  end?: ChannelEnd;
}

/** What {@linkcode Store.watch} calls back; calls for one channel come in order. */
export interface Watcher {
  /** Records were committed. `frame` is them, where the store has them at hand. */
  records(next: number, frame?: StoredFrame): void;
  /** The end was set. */
  ended(end: ChannelEnd): void;
  /** A cancel was asked for. */
  cancelled(cancel: CancelRequest): void;
  /** The channel is gone: expired or deleted. */
  gone(): void;
}

/** Where channels are kept. Every store passes the same contract tests. */
export interface Store {
  /** How safe a committed frame is. */
  readonly sync: SyncMode;
  /** Makes a channel, with a new incarnation. Refuses with `conflict` where one of that name is. */
  create(options: CreateOptions): Promise<ChannelInfo>;
  /**
   * Claims for a producer. The instance that holds the newest claim keeps it; any other gets
   * `epoch = current + 1` and fences the older ones. An instance that was fenced is refused with
   * `fenced`, a channel that has its end with `ended`, a `continues` that isn't the committed tail
   * with `seq_gap`.
   */
  claim(
    id: string,
    producerId: string,
    continues?: { epoch: number; count: number },
  ): Promise<Claim & { restarted: boolean }>;
  /**
   * Appends, all or nothing. What a claim committed before is trimmed off; a seq beyond the next is
   * refused with `seq_gap` (details: `expected`), an old epoch with `fenced`, a channel that has its
   * end with `ended`, a full one with `limit`.
   */
  append(
    id: string,
    writer: Writer,
    batch: AppendBatch,
    options?: AppendOptions,
  ): Promise<AppendResult>;
  /**
   * The same at once, for a store whose commits take no time; absent in any other. It is for the
   * hottest path only: a promise a message shows there.
   */
  appendNow?(id: string, writer: Writer, batch: AppendBatch): AppendResult;
  /** Sets the end if there is none. Returns the end in force, and whether this call set it. */
  setEnd(
    id: string,
    end: ChannelEnd,
  ): Promise<{ end: ChannelEnd; set: boolean }>;
  /** Stores the wish to stop if there is none. Returns the one in force. */
  requestCancel(id: string, cancel: CancelRequest): Promise<CancelRequest>;
  /** Sets the supervisor's lease; `until` 0 gives it up. */
  renew(id: string, until: number, onDisconnect?: OnDisconnect): Promise<void>;
  /** Notes that the channel is in use, which puts its expiry off. */
  touch(id: string): Promise<void>;
  /** Frames from an offset on, at least one if there is any, about `maxBytes` in all. The first may start before `from`. */
  read(id: string, from: number, maxBytes: number): Promise<StoredFrame[]>;
  /** Watches a channel until the returned function is called. */
  watch(id: string, watcher: Watcher): () => void;
  /** Keeps the input until the end: one blob, replaced as a whole. Refuses with `ended` after it. */
  putInput(id: string, input: Uint8Array): Promise<void>;
  /** The input, or `undefined` where none was put, or the channel has its end. */
  getInput(id: string): Promise<Uint8Array | undefined>;
  /** Drops the records before an offset. */
  trim(id: string, before: number): Promise<void>;
  /** Makes a channel whose log starts with the first `at` records of another one. */
  fork(id: string, options: CreateOptions, at: number): Promise<ChannelInfo>;
  /** What is known of a channel. */
  info(id: string): Promise<ChannelInfo>;
  /** Every channel whose name starts with the prefix, oldest first. */
  list(prefix?: string): Promise<ChannelInfo[]>;
  /** Removes a channel with all it holds. */
  delete(id: string): Promise<void>;
  /** Removes what has expired, but for the ids that are `inUse`. Returns their names. */
  sweep(now: number, inUse: (id: string) => boolean): Promise<string[]>;
  /** Lets go of everything the store holds open. */
  close(): Promise<void>;
}
