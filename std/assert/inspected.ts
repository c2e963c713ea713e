/** @module */
import { inspect } from "node:util";

/**
 * A value as the messages of the assertions print it: whole, sorted, without colours.
 *
 * @param value Anything.
 * @returns Its text, of one or more lines.
 */
export function inspected(value: unknown): string {
  return inspect(value, {
    depth: Infinity,
    sorted: true,
    compact: false,
    maxArrayLength: 1000,
    maxStringLength: 20_000,
    breakLength: 80,
  });
}
