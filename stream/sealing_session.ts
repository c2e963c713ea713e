/**
 * The writing side of encryption v2.
 *
 * @module
 */
import { encodeSealed, SALT_BYTES, SessionCipher } from "./encryption_v2.ts";
import { type Continues, sealSessionRecord } from "./session_record.ts";

/** Options of a {@linkcode SealingSession}. */
export interface SealingSessionOptions {
  /** The stream's key, see `parseKey`. */
  key: string;
  /** The channel's id. */
  channel: string;
  /** Epoch of this producer's claim. */
  epoch: number;
  /** What the session goes on after; absent when it starts over. */
  continues?: Continues;
  /** For test vectors only: a salt that comes twice with one key gives its secrets away. Random by default. */
  salt?: Uint8Array<ArrayBuffer>;
}

/**
 * Seals the records of one producer's claim. Each is sealed once: what has to be sent again is sent as
 * the ciphertext it was.
 *
 * @example
 * ```ts
 * import { SealingSession } from "./sealing_session.ts";
 * import { OpeningSession } from "./opening_session.ts";
 * import { generateKey } from "./encryption.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const [key, channel] = [generateKey(), "c1"];
 * const sealing = new SealingSession({ key, channel, epoch: 1 });
 * const records = [
 *   await sealing.begin(),
 *   await sealing.seal('{"type":"token","content":"Hi"}\n{"type":"token","content":"!"}'),
 *   await sealing.end('{"type":"done","reason":"completed"}'),
 * ];
 * const opening = new OpeningSession({ key, channel });
 * const { events } = await opening.open(records.join("\n"));
 * assertEquals(events.map(({ type }) => type), ["token", "token", "done"]);
 * ```
 */
export class SealingSession {
  /** Epoch of the claim. */
  readonly epoch: number;
  #cipher: SessionCipher;
  #salt: Uint8Array<ArrayBuffer>;
  #continues?: Continues;
  #next = 0;
  #ended = false;

  /**
   * Draws the salt and begins to derive the session's key.
   *
   * @param options Key, channel, epoch.
   */
  constructor(options: SealingSessionOptions) {
    this.#salt = options.salt ?? crypto.getRandomValues(new Uint8Array(SALT_BYTES));
    this.epoch = options.epoch;
    this.#continues = options.continues;
    this.#cipher = new SessionCipher({ ...options, salt: this.#salt });
  }

  /** Seq of the record that is sealed next. */
  get next(): number {
    return this.#next;
  }

  /**
   * Makes the session record, which comes before all others.
   *
   * @returns One line of JSON.
   * @throws {StreamError} `bad_request` for a key that can't be read.
   */
  begin(): Promise<string> {
    if (this.#next !== 0) {
      throw new TypeError("Cannot begin session: it has begun, expected one session record");
    }
    this.#next = 1;
    return sealSessionRecord(
      this.#cipher,
      { epoch: this.epoch, salt: this.#salt },
      this.#continues,
    );
  }

  /**
   * Seals events into one record.
   *
   * @param lines Their JSON texts, joined by LF; no `done` and no `error`.
   * @returns One line of JSON.
   */
  seal(lines: string): Promise<string> {
    return this.#seal(lines, false);
  }

  /**
   * Seals the end: the final record, which holds how many records the epoch has.
   *
   * @param line The JSON text of a `done` or `error`.
   * @returns One line of JSON.
   */
  end(line: string): Promise<string> {
    return this.#seal(`{"count":${this.#next + 1}}\n${line}`, true);
  }

  async #seal(plaintext: string, final: boolean): Promise<string> {
    if (this.#next === 0 || this.#ended) {
      throw new TypeError(
        "Cannot seal record: expected to come after the session record and before the final one",
      );
    }
    this.#ended = final;
    const seq = this.#next++;
    const bytes = await this.#cipher.seal(seq, final, plaintext);
    return encodeSealed({ epoch: this.epoch, seq, final, bytes });
  }
}
