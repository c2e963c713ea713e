/**
 * What the producer learns from its environment, and how it speaks to people.
 *
 * @module
 */
import process from "node:process";

/**
 * An interval from `STREAMRELAY_<name>`.
 *
 * @param name The rest of the variable's name.
 * @param otherwise Its value where it isn't set or no number.
 * @returns Seconds.
 */
export function seconds(name: string, otherwise: number): number {
  const value = Number.parseFloat(process.env[`STREAMRELAY_${name}`] ?? "");
  return Number.isFinite(value) && value >= 0 ? value : otherwise;
}

/** Prints a sentence to stderr. */
export function say(sentence: string): void {
  process.stderr.write(`streamrelay: ${sentence}\n`);
}

/** Resolves after so many milliseconds. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
