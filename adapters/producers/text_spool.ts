/**
 * Text between a program that prints and a relay that may be out of reach.
 *
 * @module
 */
import { closeSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

/** Bytes read back from the file at once. */
const BLOCK = 1 << 20;

/** A queue of texts: bounded memory, then a temporary file. */
export class TextSpool {
  #memory: string[] = [];
  #units = 0;
  #limit: number;
  #file?: number;
  #readAt = 0;
  #writeAt = 0;
  #ended = false;
  #wake?: () => void;

  /** @param limit Most UTF-16 units kept in memory; 8 Mi by default. */
  constructor(limit = 8 << 20) {
    this.#limit = limit;
  }

  /** Whether nothing more will be put. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Puts a text at the end. What comes after {@linkcode TextSpool.end} is dropped. */
  put(text: string): void {
    if (text === "" || this.#ended) return;
    if (this.#readAt === this.#writeAt && this.#units < this.#limit) {
      this.#memory.push(text);
      this.#units += text.length;
    } else {
      this.#writeAt += writeAll(this.#open(), JSON.stringify(text) + "\n", this.#writeAt);
    }
    this.#wake?.();
  }

  /** Tells that nothing more will be put. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** Takes all that memory holds, once there is something; `undefined` at the end. */
  async take(): Promise<string[] | undefined> {
    while (this.#memory.length === 0) {
      if (this.#readAt < this.#writeAt) {
        this.#readBack();
      } else if (this.#ended) {
        return undefined;
      } else {
        await new Promise<void>((resolve) => this.#wake = resolve);
      }
    }
    const texts = this.#memory;
    this.#memory = [];
    this.#units = 0;
    return texts;
  }

  #open(): number {
    if (this.#file === undefined) {
      const path = join(tmpdir(), `streamrelay-${process.pid}-${crypto.randomUUID()}`);
      this.#file = openSync(path, "wx+", 0o600);
      rmSync(path); // it lives as long as it is open
    }
    return this.#file;
  }

  #readBack(): void {
    const block = new Uint8Array(Math.min(BLOCK, this.#writeAt - this.#readAt));
    const n = readSync(this.#open(), block, 0, block.length, this.#readAt);
    // A line is a text of at most one read of a pipe, so a block holds at least one whole.
    const whole = block.subarray(0, block.lastIndexOf(10, n - 1) + 1);
    this.#readAt += whole.length;
    const lines = new TextDecoder().decode(whole).split("\n").slice(0, -1);
    this.#memory = lines.map((line) => JSON.parse(line));
    this.#units = whole.length;
    if (this.#readAt < this.#writeAt) return;
    closeSync(this.#open());
    this.#file = undefined;
    this.#readAt = this.#writeAt = 0;
  }
}

function writeAll(file: number, text: string, at: number): number {
  const bytes = new TextEncoder().encode(text);
  let done = 0;
  while (done < bytes.length) {
    done += writeSync(file, bytes, done, bytes.length - done, at + done);
  }
  return bytes.length;
}
