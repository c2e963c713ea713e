/**
 * The database of the sqlite store: one connection, one transaction a commit, and between messages the
 * chores: checkpoints, removing what is no longer wanted, giving room back.
 *
 * Length: the thread is made from the text of the one class, from which nothing can be moved out.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type {
  Batch,
  Loaded,
  LoadedChannel,
  Measured,
  OpenedFile,
  ReadRow,
  ThreadAnswer,
  ThreadRequest,
} from "./thread_messages.ts";

/** What a worker's scope is to it. */
export interface ThreadScope {
  /** Called with what is asked. */
  onmessage: ((event: MessageEvent<ThreadRequest>) => void) | null;
  /** Answers. */
  postMessage(answer: ThreadAnswer): void;
}

interface FrameColumns {
  first: number;
  n: number;
  origin: number;
  epoch: number | null;
  seq: number | null;
  text: string | Uint8Array;
}

/**
 * A database that answers messages.
 *
 * It runs on a thread of its own, made from the text of this class (`StoreThread` says why), so nothing
 * outside the class can be used here but types and globals.
 */
export class StoreDatabase {
  /** Pages the write-ahead log may have before it is written back between two messages. */
  static readonly checkpointPages = 1000;
  /** Pages it may have before a commit itself writes it back, when there is never a pause. */
  static readonly latestCheckpointPages = 16_000;
  /** Frames, and characters of them, that one chore removes: a big channel must not hold up others. */
  static readonly sliceFrames = 500;
  static readonly sliceSize = 1024 * 1024;
  /** Free pages that are kept for what comes next, and how many of the others go at a time. */
  static readonly sparePages = 1024;
  static readonly vacuumPages = 256;
  /** Milliseconds after which a chore that failed, for want of room as a rule, is tried again. */
  static readonly choreRetry = 1000;

  #connect: typeof DatabaseSync;
  #connection?: DatabaseSync;
  #statements = new Map<string, StatementSync>();
  #chore: ReturnType<typeof setTimeout> | undefined;

  /** @param connect What opens a file. */
  constructor(connect: typeof DatabaseSync) {
    this.#connect = connect;
  }

  /**
   * Answers all that is asked of a scope.
   *
   * @param connect What opens a file.
   * @param scope The scope.
   */
  static serve(connect: typeof DatabaseSync, scope: ThreadScope): void {
    const database = new StoreDatabase(connect);
    scope.onmessage = ({ data }) => {
      let answer: ThreadAnswer;
      try {
        answer = { value: database.answer(data) };
      } catch (error) {
        const { message, errcode = 0 } = error as Error & { errcode?: number };
        answer = { failed: message, errcode };
      }
      scope.postMessage(answer);
    };
  }

  /**
   * Does what is asked.
   *
   * @param request What.
   * @returns What `ThreadRequest` says of each.
   * @throws {Error} SQLite's, with its `errcode`.
   */
  answer(request: ThreadRequest): unknown {
    switch (request.ask) {
      case "open":
        return this.#open(request.file, request.sync, request.wait);
      case "migrate":
        return this.#transact(() => this.#db.exec(request.sql));
      case "load":
        return this.#load(request.numbers);
      case "commit":
        return this.#commit(request.batch);
      case "read":
        return this.#read(request.channel, request.from, request.maxBytes);
      case "measure":
        return this.#measure(request.channel, request.first, request.before);
      case "input":
        return this.#sql("SELECT content FROM inputs WHERE channel = ?").get(request.channel)
          ?.content;
      case "close":
        return this.#close();
    }
  }

  // --- opening ---

  #open(file: string, sync: string, wait: number): OpenedFile {
    const db = this.#connection = new this.#connect(file, { timeout: wait });
    // Before anything is read: with the exclusive lock the write-ahead log needs no shared memory, which
    // network file systems can't give, and a second relay finds the file locked.
    // https://www.sqlite.org/wal.html#noshm
    db.exec("PRAGMA locking_mode=EXCLUSIVE; PRAGMA auto_vacuum=INCREMENTAL");
    db.exec("PRAGMA journal_mode=WAL");
    db.exec(
      `PRAGMA synchronous=${sync}; PRAGMA wal_autocheckpoint=${StoreDatabase.latestCheckpointPages}`,
    );
    db.exec("PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16000");
    db.exec("BEGIN IMMEDIATE; COMMIT");
    return {
      version: this.#pragma("user_version"),
      application: this.#pragma("application_id"),
      objects: this.#number("SELECT count(*) AS n FROM sqlite_schema"),
    };
  }

  #close(): void {
    clearTimeout(this.#chore);
    this.#statements.clear();
    // writes the log back and removes it
    this.#connection?.close();
  }

  #load(numbers?: number[]): Loaded {
    const some = numbers ? "WHERE number IN (SELECT value FROM json_each(?))" : "";
    const channels = this.#sql(
      `SELECT number, id, state, first, next, bytes, claimed, stream_seq
       FROM channels JOIN tails ON channel = number ${some} ORDER BY number`,
    ).all(...(numbers ? [JSON.stringify(numbers)] : [])) as unknown as LoadedChannel[];
    return {
      channels,
      alive: this.#number("SELECT max(value) AS n FROM facts WHERE name = 'alive'"),
      free: 1 + Math.max(
        this.#number("SELECT max(number) AS n FROM channels"),
        this.#number("SELECT max(channel) AS n FROM garbage"),
      ),
    };
  }

  // --- writing ---

  #commit(batch: Batch): void {
    this.#transact(() => {
      for (const number of batch.gone) {
        this.#sql("DELETE FROM channels WHERE number = ?").run(number);
        this.#sql("DELETE FROM tails WHERE channel = ?").run(number);
        this.#sql("DELETE FROM inputs WHERE channel = ?").run(number);
        this.#discard(number, Number.MAX_SAFE_INTEGER);
      }
      for (const row of batch.channels) {
        this.#sql(
          `INSERT INTO channels VALUES (?, ?, ?)
           ON CONFLICT (number) DO UPDATE SET state = excluded.state`,
        ).run(...row);
      }
      const tail = this.#sql("INSERT OR REPLACE INTO tails VALUES (?, ?, ?, ?, ?, ?)");
      for (const row of batch.tails) tail.run(...row);
      const frame = this.#sql("INSERT INTO frames VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
      for (const [channel, first, n, origin, epoch, seq, size, text] of batch.frames) {
        frame.run(channel, first, n, origin, epoch, seq, size, this.#toColumn(text));
      }
      for (const [channel, content] of batch.inputs) {
        if (content) {
          this.#sql("INSERT OR REPLACE INTO inputs VALUES (?, ?)").run(channel, content);
        } else {
          this.#sql("DELETE FROM inputs WHERE channel = ?").run(channel);
        }
      }
      for (const [channel, before] of batch.trims) this.#discard(channel, before);
      for (const [to, from, first, at] of batch.forks) this.#copy(to, from, first, at);
      if (batch.alive !== undefined) {
        this.#sql("INSERT OR REPLACE INTO facts VALUES ('alive', ?)").run(batch.alive);
      }
    });
    this.#laterChore(0);
  }

  /** Notes that frames are no longer wanted; a chore removes them. */
  #discard(channel: number, before: number): void {
    this.#sql(
      `INSERT INTO garbage VALUES (?, ?)
       ON CONFLICT (channel) DO UPDATE SET before = max(before, excluded.before)`,
    ).run(channel, before);
  }

  #copy(to: number, from: number, first: number, at: number): void {
    this.#sql(
      `INSERT INTO frames SELECT ?, first, n, 2, NULL, NULL, size, text
       FROM frames WHERE channel = ? AND first >= ? AND first + n <= ?`,
    ).run(to, from, first, at);
    const cut = this.#cutAt(from, at);
    if (!cut) return;
    this.#sql("INSERT INTO frames VALUES (?, ?, ?, 2, NULL, NULL, ?, ?)")
      .run(to, cut.first, at - cut.first, cut.text.length, this.#toColumn(cut.text));
  }

  // --- reading ---

  #read(channel: number, from: number, maxBytes: number): ReadRow[] {
    const rows: ReadRow[] = [];
    let bytes = 0;
    const found = this.#sql(
      `SELECT first, n, origin, epoch, seq, text FROM frames WHERE channel = ?1
       AND first >= coalesce((SELECT max(first) FROM frames WHERE channel = ?1 AND first <= ?2), 0)
       ORDER BY first`,
    ).iterate(channel, from) as Iterable<FrameColumns>;
    for (const { first, n, origin, epoch, seq, text } of found) {
      if (first + n <= from) continue;
      rows.push([first, n, origin, epoch, seq, this.#fromColumn(text)]);
      bytes += text.length;
      if (bytes >= maxBytes) break;
    }
    return rows;
  }

  #measure(channel: number, first: number, before: number): Measured {
    const cut = this.#cutAt(channel, before);
    const boundary = cut?.first ?? before;
    const bytes = this.#number(
      "SELECT sum(size) AS n FROM frames WHERE channel = ? AND first >= ? AND first < ?",
      channel,
      first,
      boundary,
    );
    return { boundary, bytes, partial: cut?.text.length ?? 0 };
  }

  /** What lies before an offset of the frame that holds it, unless the frame begins there. */
  #cutAt(channel: number, at: number): { first: number; text: string } | undefined {
    const frame = this.#sql(
      `SELECT first, n, text FROM frames WHERE channel = ? AND first < ?
       ORDER BY first DESC LIMIT 1`,
    ).get(channel, at) as unknown as FrameColumns | undefined;
    if (!frame || frame.first + frame.n <= at) return undefined;
    const { first, text } = frame;
    const records = this.#fromColumn(text).split("\n");
    return { first, text: records.slice(0, at - first).join("\n") };
  }

  /** A column that is read back as text ends at its first NUL, so a text with one is kept as bytes. */
  #toColumn(text: string): string | Uint8Array {
    return text.includes("\0") ? new TextEncoder().encode(text) : text;
  }

  #fromColumn(value: string | Uint8Array): string {
    return typeof value === "string" ? value : new TextDecoder().decode(value);
  }

  // --- chores ---

  #laterChore(after: number): void {
    this.#chore ??= setTimeout(() => {
      this.#chore = undefined;
      try {
        if (this.#doChore()) this.#laterChore(0);
      } catch {
        this.#laterChore(StoreDatabase.choreRetry);
      }
    }, after);
  }

  /** Does a little. Returns whether there is more to do. */
  #doChore(): boolean {
    // NOOP only counts
    const { log } = this.#sql("PRAGMA wal_checkpoint(NOOP)").get() as { log: number };
    if (log >= StoreDatabase.checkpointPages) this.#db.exec("PRAGMA wal_checkpoint(PASSIVE)");
    const garbage = this.#sql("SELECT channel, before FROM garbage LIMIT 1").get() as
      | { channel: number; before: number }
      | undefined;
    if (garbage) {
      this.#remove(garbage.channel, garbage.before);
      return true;
    }
    if (this.#pragma("freelist_count") <= StoreDatabase.sparePages) return false;
    // one step a page
    this.#sql(`PRAGMA incremental_vacuum(${StoreDatabase.vacuumPages})`).all();
    return true;
  }

  #remove(channel: number, before: number): void {
    let last: number | undefined;
    let frames = 0;
    let size = 0;
    const rows = this.#sql(
      "SELECT first, size FROM frames WHERE channel = ? AND first < ? ORDER BY first",
    ).iterate(channel, before) as Iterable<{ first: number; size: number }>;
    for (const row of rows) {
      last = row.first;
      size += row.size;
      if (++frames >= StoreDatabase.sliceFrames || size >= StoreDatabase.sliceSize) break;
    }
    this.#transact(() => {
      if (last === undefined) {
        this.#sql("DELETE FROM garbage WHERE channel = ?").run(channel);
      } else {
        this.#sql("DELETE FROM frames WHERE channel = ? AND first <= ?").run(channel, last);
      }
    });
  }

  // --- SQLite ---

  get #db(): DatabaseSync {
    if (!this.#connection) throw new Error("the database is not open");
    return this.#connection;
  }

  /** A prepared statement, of which there is one a text. */
  #sql(text: string): StatementSync {
    let statement = this.#statements.get(text);
    if (!statement) this.#statements.set(text, statement = this.#db.prepare(text));
    return statement;
  }

  /** The number `n` that a query gives; 0 for NULL. */
  #number(query: string, ...values: number[]): number {
    return (this.#sql(query).get(...values)?.n ?? 0) as number;
  }

  #pragma(name: string): number {
    return Object.values(this.#sql(`PRAGMA ${name}`).get() ?? {})[0] as number;
  }

  #transact(work: () => void): void {
    this.#sql("BEGIN IMMEDIATE").run();
    try {
      work();
      this.#sql("COMMIT").run();
    } catch (error) {
      // a full disk has made SQLite roll back by itself
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }
}
