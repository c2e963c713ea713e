/**
 * Which channels a sqlite store holds, and which goes when there is no room for more.
 *
 * @module
 */
import { randomId, StreamError } from "../../../stream/mod.ts";
import type { CreateOptions } from "../store.ts";
import type { GroupCommit } from "./group_commit.ts";
import { SqliteLog } from "./sqlite_log.ts";
import type { Loaded } from "./thread_messages.ts";

/** The channels, each with its state. */
export class ChannelIndex {
  #commits: GroupCommit;
  #maxTotalBytes: number;
  #logs = new Map<string, SqliteLog>();
  /** Those that have their end, the earliest end first. */
  #ended = new Set<SqliteLog>();
  #evicted: string[] = [];
  #free = 1;

  /**
   * @param commits Where changes go.
   * @param maxTotalBytes Most bytes of records in all.
   */
  constructor(commits: GroupCommit, maxTotalBytes: number) {
    this.#commits = commits;
    this.#maxTotalBytes = maxTotalBytes;
  }

  /** Takes up what a database holds. */
  load({ channels, alive, free }: Loaded): void {
    this.#free = free;
    for (const loaded of channels) {
      const log = SqliteLog.load(loaded, this.#commits);
      this.#logs.set(loaded.id, log);
      log.restarted(alive);
    }
    this.#count();
  }

  /** Every channel. */
  all(): SqliteLog[] {
    return [...this.#logs.values()];
  }

  /** The channel of a name. Refuses with `not_found`. */
  get(id: string): SqliteLog {
    const log = this.#logs.get(id);
    if (log === undefined) {
      throw new StreamError(
        "not_found",
        `There is no channel ${JSON.stringify(id)}`,
      );
    }
    return log;
  }

  /** Makes a channel. Refuses with `conflict`. */
  add(options: CreateOptions): SqliteLog {
    if (this.#logs.has(options.id)) {
      throw new StreamError(
        "conflict",
        `Cannot create channel ${JSON.stringify(options.id)}: there is one of that name`,
      );
    }
    const log = new SqliteLog(this.#free++, options, randomId(12), this.#commits);
    log.created();
    this.#logs.set(options.id, log);
    return log;
  }

  /** Notes that a channel has its end. */
  ended(log: SqliteLog): void {
    this.#ended.add(log);
  }

  /** Lets a channel go. */
  remove(log: SqliteLog): void {
    this.#logs.delete(log.info.id);
    this.#ended.delete(log);
    this.#commits.grown(-log.info.bytes);
    this.#commits.gone(log);
  }

  /**
   * Makes room: the channels that ended first go first; those that somebody is connected to stay.
   *
   * @param bytes How much.
   * @param asking Who needs it, and so stays too.
   * @throws {StreamError} `overloaded` when there is no room; it may come when a channel ends.
   */
  makeRoom(bytes: number, asking: SqliteLog): void {
    if (this.#commits.bytes + bytes <= this.#maxTotalBytes) return;
    for (const log of this.#ended) {
      if (log === asking || log.watchers.length > 0) continue;
      this.#evicted.push(log.info.id);
      this.remove(log);
      if (this.#commits.bytes + bytes <= this.#maxTotalBytes) return;
    }
    throw new StreamError(
      "overloaded",
      `The store is full: it holds ${this.#commits.bytes} of at most ${this.#maxTotalBytes} bytes`,
    );
  }

  /** The names of the channels that had to make room since this was last asked. */
  takeEvicted(): string[] {
    return this.#evicted.splice(0).filter((id) => !this.#logs.has(id));
  }

  /** After a transaction failed: what it touched is again as it was. */
  restore(touched: ReadonlySet<SqliteLog>, { channels }: Loaded): void {
    const committed = new Map(channels.map((loaded) => [loaded.number, loaded]));
    for (const log of touched) {
      const loaded = committed.get(log.number);
      if (loaded) {
        log.restore(loaded);
        this.#logs.set(loaded.id, log);
      } else {
        if (this.#logs.get(log.info.id) === log) this.#logs.delete(log.info.id);
        log.gone();
      }
    }
    this.#count();
  }

  #count(): void {
    const logs = this.all();
    this.#commits.bytes = logs.reduce((sum, { info }) => sum + info.bytes, 0);
    this.#ended = new Set(
      logs.filter(({ info }) => info.end).sort((a, b) => a.info.end!.ts - b.info.end!.ts),
    );
  }
}
