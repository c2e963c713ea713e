/**
 * Encryption v2 of what a producer sends.
 *
 * @module
 */
import { type Continues, SealingSession, StreamError } from "../stream/mod.ts";

/** What session and final record, and the members around ciphertext, may take of a message. */
const OVERHEAD_BYTES = 1024;

/** What a {@linkcode FrameSealer} is told. */
export interface FrameSealerOptions {
  /** The stream's key. */
  key: string;
  /** The channel's id. */
  channel: string;
  /** What the producer's claim continues. */
  continues?: Continues;
}

/**
 * Turns lines into the sealed records of one frame: whatever gathered becomes one record. A frame that
 * is to be sent again is sent as it was sealed.
 */
export class FrameSealer {
  #options: FrameSealerOptions;
  #session?: SealingSession;

  /** @param options Key and channel. */
  constructor(options: FrameSealerOptions) {
    this.#options = options;
  }

  /**
   * Learns the claim. It must stay the same for as long as this producer lives: its records are sealed
   * for that claim, from seq 0 on.
   *
   * @param epoch The claim's epoch, as the relay says.
   * @param next The seq that the relay wants next.
   * @throws {StreamError} `conflict` for a claim that somebody has written under before, `tampered` for
   * another one than the first time.
   */
  claimed(epoch: number, next: number): void {
    if (this.#session === undefined) {
      if (next !== 0) {
        throw new StreamError(
          "conflict",
          `Cannot go on: this instance has written ${next} encrypted records before, whose session is lost; expected a new instance`,
        );
      }
      this.#session = new SealingSession({ ...this.#options, epoch });
    } else if (epoch !== this.#session.epoch) {
      throw new StreamError(
        "tampered",
        `The relay says that the claim has epoch ${epoch}, expected ${this.#session.epoch} as before`,
      );
    }
  }

  /**
   * Seals what goes into one frame.
   *
   * @param lines The records.
   * @param ends Whether the last one is the end.
   * @returns The sealed records; the session record among the first ones.
   */
  async seal(lines: readonly string[], ends: boolean): Promise<string[]> {
    const session = this.#session!;
    const events = ends ? lines.slice(0, -1) : lines;
    const records: Promise<string>[] = [];
    if (session.next === 0) records.push(session.begin());
    if (events.length > 0) records.push(session.seal(events.join("\n")));
    if (ends) records.push(session.end(lines.at(-1)!));
    return await Promise.all(records);
  }

  /**
   * How many UTF-16 units of records fit into a frame: three bytes each at most, four when sealed.
   *
   * @param maxMessage Bytes of the largest message the relay takes.
   */
  static unitsWithin(maxMessage: number): number {
    return Math.max(1, Math.floor((maxMessage - OVERHEAD_BYTES) / 4));
  }

  /**
   * How many bytes one record may have before it is sealed.
   *
   * @param maxMessage Bytes of the largest message the relay takes.
   */
  static bytesWithin(maxMessage: number): number {
    return Math.floor((maxMessage - OVERHEAD_BYTES) * 3 / 4);
  }
}
