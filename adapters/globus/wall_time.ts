/**
 * Time limits, written as Slurm has them.
 *
 * @module
 */
import { StreamError } from "../../stream/stream_error.ts";

/**
 * A time limit in seconds.
 *
 * @param time Minutes, `"minutes:seconds"` or `"[days-]hours:minutes:seconds"`; with days also
 * `"days-hours"` and `"days-hours:minutes"`.
 * @returns Seconds.
 * @throws {StreamError} `bad_request` for anything else.
 * @example
 * ```ts
 * import { wallTime } from "./wall_time.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(wallTime(30), 1_800);
 * assertEquals(wallTime("0:05"), 5);
 * assertEquals(wallTime("1-12"), 129_600);
 * ```
 */
export function wallTime(time: string | number): number {
  const match = /^(?:(\d+)-)?(\d+)(?::(\d{1,2}))?(?::(\d{1,2}))?$/.exec(String(time));
  const seconds = match ? secondsOf(match.slice(1)) : 0;
  if (seconds > 0) return seconds;
  throw new StreamError(
    "bad_request",
    `Cannot use option time: it is ${
      JSON.stringify(time)
    }, expected minutes or "[days-]hours:minutes:seconds"`,
  );
}

function secondsOf([days, ...parts]: (string | undefined)[]): number {
  const [a, b, c] = parts.map((part) => Number(part ?? 0));
  if (days !== undefined) return ((Number(days) * 24 + a) * 60 + b) * 60 + c;
  if (parts[2] !== undefined) return (a * 60 + b) * 60 + c;
  return a * 60 + b;
}
