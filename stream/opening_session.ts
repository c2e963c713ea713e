/**
 * The reading side of encryption v2: lets through what the producer wrote, in its order and whole, and
 * nothing else.
 *
 * @module
 */
import { decodeBase64Url, encodeBase64Url } from "@std/encoding/base64url";
import { decodeSealed, type SealedRecord, SessionCipher } from "./encryption_v2.ts";
import { parseEvent, type StatusEvent, type StreamEvent, toEvent } from "./event.ts";
import { type Continues, openSessionRecord, saltOf } from "./session_record.ts";
import { StreamError } from "./stream_error.ts";

/** Where a reader stands in an encrypted stream; it holds no secret. */
export interface SessionPoint {
  /** Epoch of the session in force; 0 while there was none. */
  epoch: number;
  /** Seq wanted next; absent for a reader that began in the middle and has read nothing of the session. */
  next?: number;
  /** The session's salt in base64url; empty while there was none. */
  salt: string;
}

/** Options of an {@linkcode OpeningSession}. */
export interface OpeningSessionOptions {
  /** The stream's key, see `parseKey`. */
  key: string;
  /** The channel's id. */
  channel: string;
  /** Where the reader was before; it goes on there and nowhere else. */
  point?: SessionPoint;
  /** Whether reading begins in the middle without a point: what came before can't be missed then. */
  midway?: boolean;
}

/** What records held. */
export interface OpenedRecords {
  /** The events, in order. */
  events: StreamEvent[];
  /** Where the reader stands after them. */
  session: SessionPoint;
}

/** The session in force. */
interface Place {
  epoch: number;
  next?: number;
  salt: string;
  cipher: SessionCipher;
  /** The session record's proof; absent where the session is known from before. */
  proof?: Promise<Continues | undefined>;
  /** Whether the key has opened anything of it. */
  proven: boolean;
  /** Whether its final record was seen. */
  final: boolean;
}

/**
 * Opens records in the order in which they stand in the channel. What the relay or a supervisor adds in
 * plaintext may make the reader wait (`status`) or fail (`error`); a record that is missing, repeated,
 * moved, forged, from another channel or session, or in plaintext where it must not be, is `tampered`.
 *
 * Once it has failed it stays so.
 *
 * @example
 * ```ts
 * import { OpeningSession } from "./opening_session.ts";
 * import { SealingSession } from "./sealing_session.ts";
 * import { generateKey } from "./encryption.ts";
 * import { StreamError } from "./stream_error.ts";
 * import { assertRejects } from "@std/assert";
 *
 * const [key, channel] = [generateKey(), "c1"];
 * const sealing = new SealingSession({ key, channel, epoch: 1 });
 * const begin = await sealing.begin();
 * await sealing.seal('{"type":"token","content":"not "}');
 * const second = await sealing.seal('{"type":"token","content":"guilty"}');
 *
 * const opening = new OpeningSession({ key, channel });
 * await opening.open(begin);
 * // the relay leaves one out
 * await assertRejects(() => opening.open(second), StreamError);
 * ```
 */
export class OpeningSession {
  #options: OpeningSessionOptions;
  #place?: Place;
  #midway: boolean;
  #closed = false;
  #onlyEnd = false;
  #failure?: StreamError;

  /**
   * Makes a reader; nothing is derived before a session record comes.
   *
   * @param options Key, channel, and where to begin; the stream's start by default.
   */
  constructor(options: OpeningSessionOptions) {
    this.#options = options;
    const { point } = options;
    this.#midway = point === undefined && (options.midway ?? false);
    if (point !== undefined && point.epoch > 0) {
      const { epoch, next, salt } = point;
      const cipher = this.#cipher(epoch, new Uint8Array(decodeBase64Url(salt)));
      this.#place = { epoch, next, salt, cipher, proven: false, final: false };
    }
  }

  /** Where the reader stands after everything that was given to it. */
  get session(): SessionPoint | undefined {
    if (this.#place === undefined) {
      return this.#midway ? undefined : { epoch: 0, next: 0, salt: "" };
    }
    const { epoch, next, salt } = this.#place;
    return next === undefined ? { epoch, salt } : { epoch, next, salt };
  }

  /**
   * Opens records. It may be called again before the promise resolves; what the promises bring is to be
   * taken in the order of the calls, up to the first that rejects.
   *
   * @param lines Records, joined by LF.
   * @returns What they held.
   * @throws {StreamError} `tampered`, or `decrypt_failed` for another key.
   */
  open(lines: string): Promise<OpenedRecords> {
    return this.#guard(async () => {
      const opened = lines.split("\n").map((line) => {
        const one = this.#line(line);
        // told one by one below, the first failure first; a later line may throw before that
        if (one instanceof Promise) one.catch(() => {});
        return one;
      });
      const session = this.session ?? { epoch: 0, salt: "" };
      const events: StreamEvent[] = [];
      for (const one of opened) events.push(...one instanceof Promise ? await one : one);
      return { events, session };
    });
  }

  /**
   * Takes the session record in force, which a relay sends first to a reader that doesn't begin at the
   * stream's start.
   *
   * @param line The record.
   * @throws {StreamError} `tampered` when it isn't the session the reader is in, `decrypt_failed` for
   * another key.
   */
  resent(line: string): Promise<void> {
    return this.#guard(async () => {
      const record = decodeSealed(parse(line));
      if (record === undefined || record.seq !== 0) {
        throw tampered("what was sent again is no session record");
      }
      const salt = saltOf(record);
      if (this.#place !== undefined) {
        if (record.epoch === this.#place.epoch && encodeBase64Url(salt) === this.#place.salt) {
          return;
        }
        throw tampered("the session is another than the one the reader is in");
      }
      if (!this.#midway) {
        throw tampered("a session was sent again that the reader has not seen begin");
      }
      await this.#enter(record, undefined).proof;
    });
  }

  /**
   * Makes ready for the final record alone, for a reader that stands behind it already: whatever comes
   * next must be it.
   */
  rereadEnd(): void {
    this.#closed = false;
    this.#onlyEnd = true;
  }

  #line(line: string): StreamEvent[] | Promise<StreamEvent[]> {
    const value = parse(line);
    const record = decodeSealed(value);
    if (record === undefined) return this.#plain(value);
    if (this.#closed) throw tampered("a record follows the stream's final one");
    if (record.seq === 0) return this.#begin(record);
    const opened = this.#open(record);
    if (!record.final) return opened.then(readEvents);
    this.#closed = true;
    return opened.then((text) => [readEnd(text, record.seq)]);
  }

  /** Checks a record's place, before anything is decrypted, and opens it. */
  #open(record: SealedRecord): Promise<string> {
    const place = this.#place;
    const { epoch, seq, final } = record;
    if (place === undefined || epoch !== place.epoch) {
      throw tampered(`record ${seq} of epoch ${epoch} came without that epoch's session record`);
    }
    const wanted = place.next !== undefined && this.#onlyEnd ? place.next - 1 : place.next;
    if (place.final && !this.#onlyEnd) throw tampered("a record follows its epoch's final one");
    if (wanted !== undefined && seq !== wanted) {
      throw tampered(`record ${seq} of epoch ${epoch} came, expected record ${wanted}`);
    }
    if (this.#onlyEnd && !final) throw tampered(`record ${seq} is not the stream's final one`);
    this.#onlyEnd = false;
    place.next = seq + 1;
    place.final = final;
    return decrypt(place, record);
  }

  /** A new epoch begins. */
  #begin(record: SealedRecord): Promise<StreamEvent[]> {
    const before = this.#place && { ...this.#place };
    const { epoch } = record;
    if (this.#onlyEnd) throw tampered("record 0 is not the stream's final one");
    if (before !== undefined && epoch <= before.epoch) {
      throw tampered(`epoch ${epoch} begins after epoch ${before.epoch}`);
    }
    const midway = this.#midway;
    const { proof } = this.#enter(record, 1);
    return proof!.then((continues) => {
      if (continues === undefined) {
        // a reader that came in the middle has delivered nothing that could be void now
        if (before === undefined) return [];
        return [{ type: "status", state: "restarted", attempt: epoch }];
      }
      const known = before === undefined
        ? midway
        : continues.epoch === before.epoch && (before.next ?? continues.count) === continues.count;
      if (known) return [];
      throw tampered(
        `epoch ${epoch} continues epoch ${continues.epoch} after ${continues.count} records, of which ${
          before?.epoch === continues.epoch ? before.next : 0
        } came`,
      );
    });
  }

  #enter(record: SealedRecord, next: number | undefined): Place {
    const salt = saltOf(record);
    const cipher = this.#cipher(record.epoch, salt);
    const place: Place = {
      epoch: record.epoch,
      next,
      salt: encodeBase64Url(salt),
      cipher,
      proven: false,
      final: false,
    };
    place.proof = openSessionRecord(cipher, record).then((continues) => {
      place.proven = true;
      return continues;
    });
    place.proof.catch(() => {});
    this.#midway = false;
    return this.#place = place;
  }

  /** What the holder of no key may say: how the job does, or that the stream failed. */
  #plain(value: unknown): StreamEvent[] | Promise<StreamEvent[]> {
    const event = toEvent(value);
    if (event.type === "error" || event.type === "gap") return [event];
    if (event.type !== "status") {
      const { type = event.type } = Object(value);
      throw tampered(
        `a record of type ${JSON.stringify(type)} came, expected it inside one of encryption v2`,
      );
    }
    // what voids text must be proven: the next session record tells it, not this
    if (event.state === "restarted") return [];
    const { sealed, ...status } = event as StatusEvent & { sealed?: unknown };
    const record = decodeSealed(sealed);
    return record === undefined ? [status] : this.#failing(status, record);
  }

  /** A verdict of the producer's that the relay has put into a status: the supervisor will set the end. */
  #failing(status: StatusEvent, record: SealedRecord): Promise<StreamEvent[]> {
    if (this.#closed) throw tampered("a record follows the stream's final one");
    if (!record.final) throw tampered(`record ${record.seq} is not its epoch's final one`);
    return this.#open(record).then((text) => {
      const end = readEnd(text, record.seq);
      if (end.type !== "error") throw tampered("a stream's success was shown as a failure");
      const { code, message, details } = end;
      return [{ ...status, code, reason: message, ...(details && { details }) }];
    });
  }

  #cipher(epoch: number, salt: Uint8Array<ArrayBuffer>): SessionCipher {
    const { key, channel } = this.#options;
    return new SessionCipher({ key, channel, epoch, salt });
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return await work();
    } catch (error) {
      throw this.#failure ??= StreamError.from(error);
    }
  }
}

async function decrypt(place: Place, record: SealedRecord): Promise<string> {
  const opening = place.cipher.open(record);
  opening.catch(() => {});
  // a wrong key is told by the session record, not by what stands behind it
  await place.proof;
  const text = await opening;
  if (text === undefined) {
    throw new StreamError(
      place.proven ? "tampered" : "decrypt_failed",
      `Cannot open record ${record.seq} of epoch ${record.epoch}: it was changed, moved or forged${
        place.proven ? "" : ", or the key is another than the producer's"
      }`,
    );
  }
  place.proven = true;
  return text;
}

function readEvents(text: string): StreamEvent[] {
  const events = text.split("\n").map(parseEvent);
  if (events.some(({ type }) => type === "done" || type === "error")) {
    throw tampered("an end stands in a record that is not its epoch's final one");
  }
  return events;
}

function readEnd(text: string, seq: number): StreamEvent & { type: "done" | "error" } {
  const [head, line = "", ...more] = text.split("\n");
  const count = (parse(head) as { count?: unknown } | null)?.count;
  if (count !== seq + 1) {
    throw tampered(`the final record counts ${count} records, expected ${seq + 1}`);
  }
  const event = parseEvent(line);
  if (more.length === 0 && (event.type === "done" || event.type === "error")) return event;
  throw tampered("the final record holds no end");
}

/** The value of a line; a line that is no JSON is a text. */
function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return line;
  }
}

function tampered(what: string): StreamError {
  return new StreamError("tampered", `The encrypted stream was tampered with: ${what}`);
}
