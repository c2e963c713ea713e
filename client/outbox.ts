/**
 * Records that wait to be sent.
 *
 * @module
 */
import type { CloseKind } from "../stream/mod.ts";

/** The end of what a producer has to say. */
export interface Closing {
  /** What the last record is. */
  kind: CloseKind;
  /** A further record that v1 wants behind it: `done` after an `error`. */
  v1Tail?: string;
}

/** Record lines in order, and their size in UTF-16 units. */
export class Outbox {
  /** UTF-16 units of the lines. */
  units = 0;
  /** Set once the last record is in. */
  closing?: Closing;
  #lines: string[] = [];
  #head = 0;

  /** How many lines. */
  get length(): number {
    return this.#lines.length - this.#head;
  }

  /** Adds a line. */
  push(line: string): void {
    this.#lines.push(line);
    this.units += line.length;
  }

  /**
   * Takes the first lines.
   *
   * @param most How many at most.
   * @param maxUnits How many units at most, line breaks included; one line is taken whatever its size.
   * @returns The lines.
   */
  take(most: number, maxUnits: number): string[] {
    if (this.length <= most && this.units + this.length <= maxUnits) {
      const all = this.#head === 0 ? this.#lines : this.#lines.slice(this.#head);
      this.#lines = [];
      this.#head = 0;
      this.units = 0;
      return all;
    }
    const start = this.#head;
    let units = 0;
    while (this.#head < this.#lines.length && this.#head - start < most) {
      const next = this.#lines[this.#head].length;
      if (this.#head > start && units + next + 1 > maxUnits) break;
      units += next + 1;
      this.units -= next;
      this.#head++;
    }
    const taken = this.#lines.slice(start, this.#head);
    // let go of what was taken, but not at every frame
    if (this.#head > 4096) {
      this.#lines = this.#lines.slice(this.#head);
      this.#head = 0;
    }
    return taken;
  }
}
