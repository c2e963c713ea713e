/**
 * Records that came one by one, kept together.
 *
 * @module
 */
import type { StoredFrame } from "./store.ts";
import { isMarked, shellOf, withShells } from "./token_shell.ts";

/**
 * Bytes of a frame, and of one behind a frame that was filled. None grows: what it would be copied out of
 * counts for V8 like what is kept, and every few megabytes of that start a collection of the whole heap,
 * which all channels feel.
 */
const FIRST_BYTES = 1024;
const NEXT_BYTES = 4096;
/** Most records of a frame, as many as a frame that is replayed has. */
const MOST_RECORDS = 512;
/** A longer record, in UTF-16 units, is worth a frame of its own. */
const MOST_UNITS = 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Single records that one producer wrote one after the other, as bytes outside of the garbage collector's
 * sight: as strings it would copy each of them twice before it left them alone, and everybody's messages
 * would wait meanwhile.
 */
export class Gathered {
  /** Offset of the first record. */
  readonly first: number;
  /** The epoch of its claim. */
  readonly epoch?: number;
  /** Its number for the first record. */
  readonly seq?: number;
  /** How many records. */
  n = 1;
  /** UTF-16 units of the records. */
  units: number;
  /** The records in UTF-8, joined by LF, a byte in the place of each known shell. */
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;
  #shelled = false;
  #sealed = false;
  #filled = false;
  #mostUnits: number;

  /**
   * @param frame What it begins with, which {@linkcode Gathered.suits}.
   * @param mostUnits Most UTF-16 units it may hold: it is dropped as a whole.
   * @param before The frame before it, if that was gathered as well.
   */
  constructor({ first, text, epoch, seq }: StoredFrame, mostUnits: number, before?: Gathered) {
    this.#mostUnits = mostUnits;
    this.first = first;
    this.epoch = epoch;
    this.seq = seq;
    this.units = text.length;
    const bytes = before !== undefined && before.#filled ? NEXT_BYTES : FIRST_BYTES;
    this.#bytes = new Uint8Array(Math.max(bytes, 3 * text.length));
    this.#write(text);
  }

  /** Whether a frame is one that can be gathered. */
  static suits({ n, text, origin }: StoredFrame): boolean {
    return n === 1 && origin === "producer" && text.length <= MOST_UNITS && !isMarked(text);
  }

  /** The records as a frame, and takes no more: what was read would be read once more with each that comes. */
  read(): StoredFrame {
    this.seal();
    const { first, n, epoch, seq } = this;
    const kept = decoder.decode(this.#bytes.subarray(0, this.#length));
    const text = this.#shelled ? withShells(kept) : kept;
    return { first, n, text, origin: "producer", epoch, seq };
  }

  /** Takes no more, and gives back what it does not need. */
  seal(): void {
    if (this.#sealed) return;
    this.#sealed = true;
    if (2 * this.#length < this.#bytes.length) this.#bytes = this.#bytes.slice(0, this.#length);
  }

  /** Takes a frame that {@linkcode Gathered.suits}, if it comes right behind, of the same claim, and there is room. */
  take({ text, epoch, seq }: StoredFrame): boolean {
    if (this.#sealed || epoch !== this.epoch || seq !== (this.seq ?? 0) + this.n) return false;
    const { length } = text;
    const full = this.n >= MOST_RECORDS || this.#length + 1 + 3 * length > this.#bytes.length;
    if (full || this.units + length > this.#mostUnits) {
      this.#filled = full;
      this.seal();
      return false;
    }
    this.#bytes[this.#length++] = 0x0a;
    this.#write(text);
    this.n++;
    this.units += length;
    return true;
  }

  #write(text: string): void {
    const bytes = this.#bytes;
    const shell = shellOf(text);
    let length = this.#length;
    let from = 0;
    let to = text.length;
    if (shell !== undefined) {
      this.#shelled = true;
      bytes[length++] = shell.mark;
      from = shell.head.length;
      to -= shell.tail.length;
    }
    // nearly every record is ASCII and short: the encoder alone would take twice as long
    for (let at = from; at < to; at++) {
      const unit = text.charCodeAt(at);
      if (unit > 0x7f) {
        const rest = text.slice(at, to);
        length += encoder.encodeInto(rest, bytes.subarray(length)).written;
        break;
      }
      bytes[length++] = unit;
    }
    this.#length = length;
  }
}
