/** @module */

const POWERS = ["", "K", "M", "G"];

/**
 * A size as people write it.
 *
 * @param text Bytes, or a number with `K`, `M` or `G` (each 1024 times the one before), `KiB`, `MB` …
 * @returns Bytes; `undefined` for anything else.
 * @example
 * ```ts
 * import { parseSize } from "./parse_size.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseSize("64M"), 64 * 1024 * 1024);
 * assertEquals(parseSize("much"), undefined);
 * ```
 */
export function parseSize(text: string): number | undefined {
  const [, number, unit] = /^(\d{1,12}(?:\.\d+)?)(?:([KMG]?)(?:i?B)?)$/i.exec(text) ?? [];
  if (number === undefined) return undefined;
  return Math.floor(
    Number(number) * 1024 ** POWERS.indexOf(unit.toUpperCase()),
  );
}
