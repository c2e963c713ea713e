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
  ReadFrames,
  ThreadAnswer,
  ThreadRequest,
} from "./thread_messages.ts";

/** What a worker's scope is to it. */
export interface ThreadScope {
  /** Called with what is asked. */
  onmessage: ((event: MessageEvent<ThreadRequest>) => void) | null;
  /** Answers. */
  postMessage(answer: ThreadAnswer, transfer: Transferable[]): void;
}

/** As of Node 24; missing in Deno's types. */
interface ArrayStatement extends StatementSync {
  setReturnArrays(enabled: boolean): void;
}

/**
 * A database that answers messages.
 *
 * It runs on a thread of its own, made from the text of this class (`StoreThread` says why), so nothing
 * outside the class can be used here but types and globals.
 */
export class StoreDatabase {
  /** Bytes of a page: with less, frames of many records cost more; with more, those of one. */
  static readonly pageSize = 8192;
  /** Pages after which the write-ahead log is written back, between two messages. */
  static readonly checkpointPages = 512;
  /** Pages after which a commit itself does so, when there is never a pause. */
  static readonly latestCheckpointPages = 8192;
  /** Frames, and characters of them, that one chore removes: a big channel must not hold up others. */
  static readonly sliceFrames = 500;
  static readonly sliceSize = 1024 * 1024;
  /** Free pages that are kept for what comes next, and how many of the others go at a time. */
  static readonly sparePages = 512;
  static readonly vacuumPages = 128;
  /** Milliseconds after which a chore that failed, for want of room as a rule, is tried again. */
  static readonly choreRetry = 1000;

  #connect: typeof DatabaseSync;
  #connection?: DatabaseSync;
  #statements = new Map<string, StatementSync>();
  #chore: ReturnType<typeof setTimeout> | undefined;
  /** Pages written since the last checkpoint, by estimate. */
  #written = 0;
  #garbage = true;
  #shrunk = false;

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
      const transfer: Transferable[] = [];
      try {
        const value = database.answer(data);
        if (data.ask === "read") transfer.push((value as ReadFrames).text.buffer);
        answer = { value };
      } catch (error) {
        const { message, errcode = 0 } = error as Error & { errcode?: number };
        answer = { failed: message, errcode };
      }
      scope.postMessage(answer, transfer);
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
    db.exec("PRAGMA locking_mode=EXCLUSIVE");
    db.exec(`PRAGMA page_size=${StoreDatabase.pageSize}; PRAGMA auto_vacuum=INCREMENTAL`);
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
    // what was to go when the last relay stopped
    this.#laterChore(0);
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
      for (const row of batch.frames) frame.run(...row);
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
    const { frames, channels, gone, trims, forks } = batch;
    this.#written += 1 + frames.length + channels.length + forks.length;
    for (const row of frames) this.#written += row[6] / StoreDatabase.pageSize;
    this.#garbage ||= gone.length > 0 || trims.length > 0;
    if (this.#garbage || this.#written >= StoreDatabase.checkpointPages) this.#laterChore(0);
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
    const cut = this.#beforeCut(from, at);
    if (!cut) return;
    this.#sql("INSERT INTO frames VALUES (?, ?, ?, 2, NULL, NULL, ?, ?)")
      .run(to, cut.first, at - cut.first, cut.text.length, cut.text);
  }

  // --- reading ---

  #read(channel: number, from: number, maxBytes: number): ReadFrames {
    const holds = this.#cut(channel, from);
    const start = holds ? holds.first : from;
    const rows: number[] = [];
    let last = -1;
    let bytes = 0;
    // ever more rows at a time: how many make up the bytes is not known
    for (let limit = 16; bytes < maxBytes; limit = Math.min(limit * 2, 1024)) {
      const found = this.#sql(
        `SELECT first, n, origin, coalesce(epoch, -1), coalesce(seq, -1), size FROM frames
         WHERE channel = ? AND first >= ? ORDER BY first LIMIT ?`,
        true,
      ).all(channel, Math.max(start, last + 1), limit) as unknown as number[][];
      for (const row of found) {
        if (bytes >= maxBytes) break;
        rows.push(...row);
        last = row[0];
        bytes += row[5];
      }
      if (found.length < limit) break;
    }
    // All texts as one: a value costs more than its bytes here. And as bytes: read as text, a value
    // would end at its first NUL.
    const { text } = this.#sql(
      `SELECT CAST(group_concat(text, char(10)) AS BLOB) AS text FROM (
         SELECT text FROM frames WHERE channel = ? AND first >= ? AND first <= ? ORDER BY first)`,
    ).get(channel, start, last) as { text: Uint8Array<ArrayBuffer> | null };
    return { rows, text: text ?? new Uint8Array() };
  }

  #measure(channel: number, first: number, before: number): Measured {
    const cut = this.#beforeCut(channel, before);
    const boundary = cut?.first ?? before;
    const bytes = this.#number(
      "SELECT sum(size) AS n FROM frames WHERE channel = ? AND first >= ? AND first < ?",
      channel,
      first,
      boundary,
    );
    return { boundary, bytes, partial: cut?.text.length ?? 0 };
  }

  /** The frame that an offset lies inside of, unless the frame begins there. */
  #cut(channel: number, at: number): { first: number } | undefined {
    const frame = this.#sql(
      "SELECT first, n FROM frames WHERE channel = ? AND first < ? ORDER BY first DESC LIMIT 1",
    ).get(channel, at) as { first: number; n: number } | undefined;
    return frame && frame.first + frame.n > at ? frame : undefined;
  }

  /** What of the frame that holds an offset lies before it. */
  #beforeCut(channel: number, at: number): { first: number; text: string } | undefined {
    const frame = this.#cut(channel, at);
    if (!frame) return undefined;
    const { text } = this.#sql(
      "SELECT CAST(text AS BLOB) AS text FROM frames WHERE channel = ? AND first = ?",
    ).get(channel, frame.first) as { text: Uint8Array<ArrayBuffer> };
    const records = new TextDecoder("utf-8", { ignoreBOM: true }).decode(text).split("\n");
    return { first: frame.first, text: records.slice(0, at - frame.first).join("\n") };
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
    if (this.#written >= StoreDatabase.checkpointPages) this.#checkpoint();
    if (!this.#garbage) return false;
    const garbage = this.#sql("SELECT channel, before FROM garbage LIMIT 1").get() as
      | { channel: number; before: number }
      | undefined;
    if (garbage) {
      this.#remove(garbage.channel, garbage.before);
      this.#written += StoreDatabase.sliceSize / StoreDatabase.pageSize;
    } else if (this.#pragma("freelist_count") > StoreDatabase.sparePages) {
      // one step a page
      this.#sql(`PRAGMA incremental_vacuum(${StoreDatabase.vacuumPages})`).all();
      this.#written += StoreDatabase.vacuumPages;
      this.#shrunk = true;
    } else {
      // only now the file itself gets smaller
      if (this.#shrunk) this.#checkpoint();
      this.#garbage = this.#shrunk = false;
    }
    return this.#garbage;
  }

  #checkpoint(): void {
    this.#db.exec("PRAGMA wal_checkpoint(PASSIVE)");
    this.#written = 0;
  }

  #remove(channel: number, before: number): void {
    const last = this.#sql(
      `SELECT max(first) AS last FROM (
         SELECT first, sum(size) OVER (ORDER BY first ROWS UNBOUNDED PRECEDING) - size AS before
         FROM (SELECT first, size FROM frames WHERE channel = ? AND first < ? ORDER BY first LIMIT ?)
       ) WHERE before < ?`,
    ).get(channel, before, StoreDatabase.sliceFrames, StoreDatabase.sliceSize)?.last;
    this.#transact(() => {
      if (typeof last !== "number") {
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
  #sql(text: string, arrays = false): StatementSync {
    let statement = this.#statements.get(text);
    if (!statement) {
      this.#statements.set(text, statement = this.#db.prepare(text));
      if (arrays) (statement as ArrayStatement).setReturnArrays(true);
    }
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
