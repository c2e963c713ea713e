/** @module */

const UNITS: Record<string, number> = {
  "": 1,
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
};

/**
 * A time as people write it.
 *
 * @param text Seconds, or a number with `s`, `m`, `h` or `d`.
 * @returns Seconds; `undefined` for anything else.
 * @example
 * ```ts
 * import { parseDuration } from "./parse_duration.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseDuration("10m"), 600);
 * assertEquals(parseDuration("soon"), undefined);
 * ```
 */
export function parseDuration(text: string): number | undefined {
  const [, number, unit] = /^(\d{1,12}(?:\.\d+)?)([smhd]?)$/.exec(text) ?? [];
  return number === undefined ? undefined : Number(number) * UNITS[unit];
}
