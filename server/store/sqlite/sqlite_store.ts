/**
 * Channels in one database file, on a thread of its own. What is known of every channel is kept in
 * memory, so that rules are applied at once; records lie on the disk alone.
 *
 * @module
 */
import {
  type CancelRequest,
  type ChannelEnd,
  type OnDisconnect,
  StreamError,
} from "../../../stream/mod.ts";
import type {
  AppendBatch,
  AppendOptions,
  AppendResult,
  ChannelInfo,
  Claim,
  CreateOptions,
  Store,
  StoredFrame,
  SyncMode,
  Watcher,
  Writer,
} from "../store.ts";
import { ChannelIndex } from "./channel_index.ts";
import { GroupCommit } from "./group_commit.ts";
import type { SqliteLog } from "./sqlite_log.ts";
import type { StoreThread } from "./store_thread.ts";
import type { Loaded, Measured, ReadFrames } from "./thread_messages.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

const ORIGINS = ["producer", "supervisor", "relay"] as const;

/** What a {@linkcode SqliteStore} is made of. */
export interface SqliteStoreParts {
  /** The thread, with its database open and its schema up to date. */
  thread: StoreThread;
  /** How safe a commit is. */
  sync: SyncMode;
  /** Most bytes of records in all. */
  maxTotalBytes: number;
}

/** A {@linkcode Store} that survives its process. Made by `openSqliteStore`. */
export class SqliteStore implements Store {
  /** How safe a committed frame is. */
  readonly sync: SyncMode;
  #thread: StoreThread;
  #commits: GroupCommit;
  #channels: ChannelIndex;

  private constructor({ thread, sync, maxTotalBytes }: SqliteStoreParts) {
    this.#thread = thread;
    this.sync = sync;
    this.#commits = new GroupCommit({
      thread,
      rolledBack: (touched, loaded) => this.#channels.restore(touched, loaded),
    });
    this.#channels = new ChannelIndex(this.#commits, maxTotalBytes);
  }

  /**
   * Takes up what a database holds. Leases and graces count anew.
   *
   * @param parts What it is made of.
   * @returns The store.
   */
  static async load(parts: SqliteStoreParts): Promise<SqliteStore> {
    const store = new SqliteStore(parts);
    store.#channels.load(await parts.thread.ask<Loaded>({ ask: "load" }));
    store.#commits.alive(Date.now());
    await store.#commits.answer(undefined);
    return store;
  }

  /** See {@linkcode Store.create}. */
  create(options: CreateOptions): Promise<ChannelInfo> {
    return this.#do(() => {
      const log = this.#channels.add(options);
      return [log.snapshot(), log];
    });
  }

  /** See {@linkcode Store.claim}. */
  claim(
    id: string,
    producerId: string,
    continues?: { epoch: number; count: number },
  ): Promise<Claim & { restarted: boolean }> {
    return this.#with(id, (log) => log.claim(producerId, continues));
  }

  /** See {@linkcode Store.append}. Refused with `overloaded` while there is no room. */
  append(
    id: string,
    writer: Writer,
    batch: AppendBatch,
    options?: AppendOptions,
  ): Promise<AppendResult> {
    return this.#with(id, (log) => {
      this.#channels.makeRoom(batch.text.length, log);
      const result = log.append(writer, batch, options);
      if (result.end) this.#channels.ended(log);
      return result;
    });
  }

  /** See {@linkcode Store.setEnd}. */
  setEnd(id: string, end: ChannelEnd): Promise<{ end: ChannelEnd; set: boolean }> {
    return this.#with(id, (log) => {
      this.#channels.ended(log);
      return log.setEnd(end);
    });
  }

  /** See {@linkcode Store.requestCancel}. */
  requestCancel(id: string, cancel: CancelRequest): Promise<CancelRequest> {
    return this.#with(id, (log) => log.requestCancel(cancel));
  }

  /** See {@linkcode Store.renew}. */
  renew(id: string, until: number, onDisconnect?: OnDisconnect): Promise<void> {
    return this.#with(id, (log) => log.renew(until, onDisconnect));
  }

  /** See {@linkcode Store.touch}. Nothing is written: what has no end counts anew after a restart. */
  touch(id: string): Promise<void> {
    return this.#with(id, (log) => log.touch());
  }

  /** See {@linkcode Store.read}. */
  async read(id: string, from: number, maxBytes: number): Promise<StoredFrame[]> {
    await this.#commits.recovering;
    const log = this.#channels.get(id);
    return toFrames(
      await this.#commits.ask<ReadFrames>(log, {
        ask: "read",
        channel: log.number,
        from: Math.max(from, log.info.first),
        maxBytes,
      }),
    );
  }

  /** See {@linkcode Store.watch}. */
  watch(id: string, watcher: Watcher): () => void {
    return this.#channels.get(id).watch(watcher);
  }

  /** See {@linkcode Store.putInput}. */
  putInput(id: string, input: Uint8Array): Promise<void> {
    return this.#with(id, (log) => log.putInput(input));
  }

  /** See {@linkcode Store.getInput}. */
  async getInput(id: string): Promise<Uint8Array | undefined> {
    await this.#commits.recovering;
    const log = this.#channels.get(id);
    return this.#commits.ask(log, { ask: "input", channel: log.number });
  }

  /** See {@linkcode Store.trim}. */
  async trim(id: string, before: number): Promise<void> {
    const { boundary, bytes } = await this.#measure(id, before);
    return this.#with(id, (log) => log.trimTo(boundary, bytes));
  }

  /** See {@linkcode Store.fork}. */
  async fork(id: string, options: CreateOptions, at: number): Promise<ChannelInfo> {
    const { info: { next } } = this.#channels.get(id);
    if (at > next) {
      throw new StreamError(
        "bad_offset",
        `Cannot fork at ${at}: the tail is ${next}, expected no more than that`,
      );
    }
    const { bytes, partial } = await this.#measure(id, at);
    return this.#do(() => {
      const source = this.#channels.get(id);
      const size = bytes + partial;
      if (size > options.maxBytes) {
        throw new StreamError(
          "limit",
          `Cannot fork: what is copied has ${size} bytes, expected at most ${options.maxBytes}`,
          { details: { maxBytes: options.maxBytes } },
        );
      }
      this.#channels.makeRoom(size, source);
      const log = this.#channels.add(options);
      log.forked(Math.min(source.info.first, at), at, size);
      this.#commits.fork(log, source, at);
      return [log.snapshot(), log];
    });
  }

  /** See {@linkcode Store.info}. */
  info(id: string): Promise<ChannelInfo> {
    return this.#look(() => this.#channels.get(id).snapshot());
  }

  /** See {@linkcode Store.list}. */
  list(prefix = ""): Promise<ChannelInfo[]> {
    return this.#look(() =>
      this.#channels.all()
        .filter(({ info }) => info.id.startsWith(prefix))
        .sort((a, b) => a.number - b.number)
        .map((log) => log.snapshot())
    );
  }

  /** See {@linkcode Store.delete}. */
  delete(id: string): Promise<void> {
    return this.#do(() => {
      const log = this.#channels.get(id);
      this.#channels.remove(log);
      return [undefined, log, true];
    });
  }

  /** See {@linkcode Store.sweep}. What had to make room since the last one is among the names. */
  async sweep(now: number, inUse: (id: string) => boolean): Promise<string[]> {
    await this.#commits.recovering;
    const expired = this.#channels.all().filter((log) => log.expired(now) && !inUse(log.info.id));
    this.#commits.alive(Date.now());
    await Promise.all(expired.map(({ info }) => this.delete(info.id)));
    await this.#do(() => [undefined]);
    return [...this.#channels.takeEvicted(), ...expired.map(({ info }) => info.id)];
  }

  /** See {@linkcode Store.close}. What was asked before is committed. */
  async close(): Promise<void> {
    try {
      this.#commits.alive(Date.now());
      await this.#do(() => [undefined]);
      await this.#commits.settled();
    } catch {
      // whoever asked has been told; what is committed stays so
    }
    await this.#thread.close();
  }

  // --- how a call is done ---

  #with<T>(id: string, work: (log: SqliteLog) => T): Promise<T> {
    return this.#do(() => {
      const log = this.#channels.get(id);
      return [work(log), log];
    });
  }

  /** Does something to the state at once, and answers when it is committed. */
  #do<T>(work: () => [value: T, log?: SqliteLog, gone?: boolean]): Promise<T> {
    const { recovering } = this.#commits;
    if (recovering) return recovering.then(() => this.#do(work));
    let done: [T, SqliteLog?, boolean?];
    try {
      done = work();
    } catch (error) {
      return this.#commits.refuse(error);
    }
    return this.#commits.answer(...done);
  }

  #look<T>(look: () => T): Promise<T> {
    const { recovering } = this.#commits;
    return recovering ? recovering.then(() => this.#commits.look(look)) : this.#commits.look(look);
  }

  async #measure(id: string, before: number): Promise<Measured> {
    await this.#commits.recovering;
    const log = this.#channels.get(id);
    const { first, next } = log.info;
    return await this.#commits.ask(log, {
      ask: "measure",
      channel: log.number,
      first,
      before: Math.min(before, next),
    });
  }
}

function toFrames({ rows, text }: ReadFrames): StoredFrame[] {
  const texts = decoder.decode(text);
  const frames: StoredFrame[] = [];
  let start = 0;
  for (let at = 0; at < rows.length; at += 6) {
    const end = start + rows[at + 5];
    const frame: StoredFrame = {
      first: rows[at],
      n: rows[at + 1],
      text: texts.slice(start, end),
      origin: ORIGINS[rows[at + 2]],
    };
    if (rows[at + 3] >= 0) frame.epoch = rows[at + 3];
    if (rows[at + 4] >= 0) frame.seq = rows[at + 4];
    frames.push(frame);
    start = end + 1;
  }
  return frames;
}
