/**
 * Checks of what is handed to a scheduler's submit command.
 *
 * @module
 */
import { StreamError } from "../stream/stream_error.ts";

/** Turns options into arguments, or refuses them by name. */
export class OptionValues {
  #scheduler: string;

  /** @param scheduler What the scheduler is called in messages. */
  constructor(scheduler: string) {
    this.#scheduler = scheduler;
  }

  /**
   * A count.
   *
   * @param name The option.
   * @param value What was given.
   * @returns The count as text.
   * @throws {StreamError} `bad_request` for anything but a positive whole number.
   */
  count(name: string, value: unknown): string {
    if (!Number.isSafeInteger(value) || (value as number) < 1) {
      this.refuse(name, `it is ${show(value)}, expected a positive whole number`);
    }
    return String(value);
  }

  /**
   * A text on a single line.
   *
   * @param name The option.
   * @param value What was given.
   * @returns The text.
   * @throws {StreamError} `bad_request` for anything else.
   */
  text(name: string, value: unknown): string {
    if (typeof value !== "string" || value === "") {
      this.refuse(name, `it is ${show(value)}, expected a text that is not empty`);
    }
    if (/[\0\n\r]/.test(value)) {
      this.refuse(name, "it holds a line break or NUL, expected a text on a single line");
    }
    return value;
  }

  /**
   * Arguments as they are.
   *
   * @param name The option.
   * @param value What was given.
   * @returns The arguments; none for `undefined`.
   * @throws {StreamError} `bad_request` for anything but a list of texts on single lines.
   */
  list(name: string, value: unknown): string[] {
    if (value === undefined) return [];
    if (!Array.isArray(value) || value.some((arg) => typeof arg !== "string")) {
      this.refuse(name, `it is ${show(value)}, expected a list of texts`);
    }
    return value.map((arg) => arg === "" ? arg : this.text(name, arg));
  }

  /**
   * Refuses an option.
   *
   * @param name The option.
   * @param why What was wrong, and what was expected.
   * @throws {StreamError} `bad_request`, always.
   */
  refuse(name: string, why: string): never {
    throw new StreamError("bad_request", `Cannot use ${this.#scheduler} option ${name}: ${why}`);
  }
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}
