/**
 * Group commit: whatever is asked while a transaction is under way goes into the next one, and nobody is
 * answered, or told of anything, before the transaction that holds it is on the disk.
 *
 * @module
 */
import { StreamError } from "../../../stream/mod.ts";
import type { StoredFrame } from "../store.ts";
import type { Happened, Outbox, SqliteLog } from "./sqlite_log.ts";
import type { StoreThread } from "./store_thread.ts";
import type { Batch, FrameRow, Loaded, ThreadRequest } from "./thread_messages.ts";

/** Milliseconds before a database that cannot even be read is tried again. */
const RELOAD_RETRY = 1000;

const ORIGINS = { producer: 0, supervisor: 1, relay: 2 } as const;

/** One call that waits for its transaction. */
interface Call {
  log?: SqliteLog;
  happened?: Happened;
  gone?: boolean;
  refused?: unknown;
  value?: unknown;
  /** For calls that ask how things stand: the answer, taken when the transaction is closed. */
  look?: () => unknown;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** What a {@linkcode GroupCommit} needs of its store. */
export interface GroupCommitOptions {
  /** The database. */
  thread: StoreThread;
  /** Told after a failed transaction, with the channels it touched and how they stand on the disk. */
  rolledBack(logs: ReadonlySet<SqliteLog>, loaded: Loaded): void;
}

/** Gathers what has to be committed, and commits it. */
export class GroupCommit implements Outbox {
  /** Bytes of records that all channels hold. */
  bytes = 0;
  /** Set while a failed transaction is being undone; calls wait for it. */
  recovering?: Promise<void>;
  #options: GroupCommitOptions;
  #batch = emptyBatch();
  #touched = new Set<SqliteLog>();
  #calls: Call[] = [];
  #reads: (() => void)[] = [];
  #transaction = 1;
  #flying?: { calls: Call[]; touched: Set<SqliteLog> };
  #landed?: Promise<void>;
  #due = false;

  /** @param options What it needs. */
  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  // --- what logs put in ---

  /** See {@linkcode Outbox.frame}. */
  frame(log: SqliteLog, frame: StoredFrame): void {
    this.#batch.frames.push(frameRow(log.number, frame));
  }

  /** See {@linkcode Outbox.input}. */
  input(log: SqliteLog, input: Uint8Array | null): void {
    this.#batch.inputs.push([log.number, input]);
    this.touched(log);
  }

  /** See {@linkcode Outbox.trim}. */
  trim(log: SqliteLog): void {
    this.#batch.trims.push([log.number, log.info.first]);
  }

  /** See {@linkcode Outbox.touched}. */
  touched(log: SqliteLog): void {
    log.transaction = this.#transaction;
    this.#touched.add(log);
  }

  /** See {@linkcode Outbox.grown}. */
  grown(bytes: number): void {
    this.bytes += bytes;
  }

  /** The channel goes, with all it holds. */
  gone(log: SqliteLog): void {
    log.deleted = true;
    this.#batch.gone.push(log.number);
    this.touched(log);
  }

  /** The frames of one channel up to an offset are copied to a new one. */
  fork(to: SqliteLog, from: SqliteLog, at: number): void {
    this.#batch.forks.push([to.number, from.number, from.info.first, at]);
  }

  /** Notes that the relay is alive. */
  alive(now: number): void {
    this.#batch.alive = now;
  }

  // --- what calls get ---

  /** Answers once everything that was asked up to now is committed. */
  answer<T>(value: T, log?: SqliteLog, gone?: boolean): Promise<T> {
    const happened = log?.happened;
    if (log) log.happened = undefined;
    return this.#wait({ value, log, happened, gone });
  }

  /** Refuses, in turn: what a refusal says must be committed too. */
  refuse(refused: unknown): Promise<never> {
    return this.#wait({ refused });
  }

  /** Answers with how things stand once everything that was asked up to now is committed. */
  look<T>(look: () => T): Promise<T> {
    return this.#wait({ look });
  }

  /** Asks the database about a channel, after the channel's own changes. */
  ask<T>(log: SqliteLog, request: ThreadRequest): Promise<T> {
    const { thread } = this.#options;
    if (log.transaction < this.#transaction) return thread.ask<T>(request);
    return new Promise((resolve, reject) => {
      this.#reads.push(() => thread.ask<T>(request).then(resolve, reject));
      this.#schedule();
    });
  }

  /** Waits until nothing is under way. */
  async settled(): Promise<void> {
    while (this.recovering || this.#flying || this.#due) {
      await (this.recovering ?? this.#landed ?? Promise.resolve());
    }
  }

  // --- transactions ---

  #wait<T>(call: Omit<Call, "resolve" | "reject">): Promise<T> {
    if (!this.#flying && !this.#due && this.#touched.size === 0 && !this.#batch.alive) {
      if (call.refused !== undefined) return Promise.reject(call.refused);
      const { look } = call;
      return look
        ? new Promise((resolve) => resolve(look() as T))
        : Promise.resolve(call.value as T);
    }
    return new Promise<T>((resolve, reject) => {
      this.#calls.push({ ...call, resolve: resolve as Call["resolve"], reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#flying || this.#due) return;
    this.#due = true;
    // a turn later, so that what is asked in one go is committed in one go
    queueMicrotask(() => {
      this.#due = false;
      this.#landed = this.#commit();
    });
  }

  async #commit(): Promise<void> {
    const { thread } = this.#options;
    const flying = { calls: this.#calls, touched: this.#touched };
    const batch = this.#seal();
    this.#flying = flying;
    const committed = isEmpty(batch) ? undefined : thread.ask<void>({ ask: "commit", batch });
    for (const read of this.#reads.splice(0)) read();
    try {
      await committed;
    } catch (error) {
      this.#flying = undefined;
      this.#undo(flying, error);
      return;
    }
    this.#flying = undefined;
    // before anybody is told, so that the disk works while readers are served
    if (this.#calls.length > 0 || this.#reads.length > 0) this.#landed = this.#commit();
    // those who look come last: they are not there yet to hear the news of this same transaction
    for (const call of flying.calls) if (!call.look) deliver(call);
    for (const call of flying.calls) if (call.look) deliver(call);
  }

  /** Closes the batch: from here on, changes go into the next one. */
  #seal(): Batch {
    const batch = this.#batch;
    for (const log of this.#touched) {
      if (!log.deleted) {
        if (log.dirty.state) batch.channels.push(log.stateRow());
        if (log.dirty.tail) batch.tails.push(log.tailRow());
      }
      log.dirty.state = log.dirty.tail = false;
    }
    for (const call of this.#calls) {
      if (!call.look) continue;
      try {
        call.value = call.look();
      } catch (error) {
        call.refused = error;
      }
    }
    this.#calls = [];
    this.#touched = new Set();
    this.#batch = emptyBatch();
    this.#transaction++;
    return batch;
  }

  /** Nothing of what was sent or gathered has happened: goes back to what is on the disk. */
  #undo(flying: { calls: Call[]; touched: Set<SqliteLog> }, error: unknown): void {
    const calls = [...flying.calls, ...this.#calls];
    const touched = flying.touched.union(this.#touched);
    const reads = this.#reads;
    this.#reads = [];
    this.#calls = [];
    this.#touched = new Set();
    this.#batch = emptyBatch();
    this.#transaction++;
    for (const { look, reject } of calls) if (!look) reject(error);
    const looks = calls.filter(({ look }) => look);
    const recovering = this.#reload(touched).then(() => {
      this.recovering = undefined;
      for (const { look, resolve, reject } of looks) this.look(look!).then(resolve, reject);
      for (const read of reads) read();
    });
    // where even that fails, the store stays as it is: every further call is refused with the same words
    recovering.catch((broken) => {
      for (const { reject } of looks) reject(broken);
      for (const read of reads) read();
    });
    this.recovering = recovering;
  }

  async #reload(touched: ReadonlySet<SqliteLog>): Promise<void> {
    const { thread, rolledBack } = this.#options;
    const numbers = [...touched].map(({ number }) => number);
    for (;;) {
      try {
        return rolledBack(touched, await thread.ask<Loaded>({ ask: "load", numbers }));
      } catch (error) {
        if (error instanceof StreamError && !error.retry) throw error;
        await new Promise((resolve) => setTimeout(resolve, RELOAD_RETRY));
      }
    }
  }
}

function emptyBatch(): Batch {
  return {
    gone: [],
    channels: [],
    tails: [],
    frames: [],
    inputs: [],
    trims: [],
    forks: [],
  };
}

function isEmpty({ alive, ...lists }: Batch): boolean {
  return alive === undefined && Object.values(lists).every(({ length }) => length === 0);
}

function frameRow(channel: number, frame: StoredFrame): FrameRow {
  const { first, n, origin, epoch = null, seq = null, text } = frame;
  return [channel, first, n, ORIGINS[origin], epoch, seq, text.length, text];
}

/** Tells whoever watches, then whoever asked. */
function deliver({ log, happened, gone, refused, value, resolve, reject }: Call): void {
  try {
    if (log && happened) tell(log, happened);
    if (log && gone) log.gone();
  } catch (error) {
    return reject(error);
  }
  if (refused !== undefined) reject(refused);
  else resolve(value);
}

function tell({ watchers }: SqliteLog, { frame, end, cancel }: Happened): void {
  for (const watcher of watchers) {
    if (frame) watcher.records(frame.first + frame.n, frame);
  }
  for (const watcher of watchers) {
    if (end) watcher.ended(end);
    if (cancel) watcher.cancelled(cancel);
  }
}
