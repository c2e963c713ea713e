/**
 * Encrypts records and keeps their order.
 *
 * @module
 */
import { encryptMessage } from "../stream/mod.ts";

interface Slot {
  sealed?: string;
  plainUnits: number;
  then?: (sealed: string) => void;
}

/**
 * Encryption takes its time and many records are under way at once; they come out in the order they
 * went in.
 */
export class Sealer {
  /** UTF-16 units of the records that are under way. */
  units = 0;
  #key: string;
  #out: (sealed: string) => void;
  #failed: (error: unknown) => void;
  #slots: Slot[] = [];

  /**
   * @param key The key.
   * @param out Called with each sealed record, in order.
   * @param failed Called when a record can't be sealed; nothing comes out any more then.
   */
  constructor(
    key: string,
    out: (sealed: string) => void,
    failed: (error: unknown) => void,
  ) {
    this.#key = key;
    this.#out = out;
    this.#failed = failed;
  }

  /**
   * Seals a record.
   *
   * @param line The record.
   * @param then Called in place of the constructor's `out`.
   */
  push(line: string, then?: (sealed: string) => void): void {
    const slot: Slot = { plainUnits: line.length, then };
    this.#slots.push(slot);
    this.units += line.length;
    encryptMessage(this.#key, line).then((sealed) => {
      slot.sealed = sealed;
      this.#drain();
    }, this.#failed);
  }

  #drain(): void {
    let ready = 0;
    for (const slot of this.#slots) {
      if (slot.sealed === undefined) break;
      ready++;
    }
    for (const { sealed, plainUnits, then } of this.#slots.splice(0, ready)) {
      this.units -= plainUnits;
      (then ?? this.#out)(sealed!);
    }
  }
}
