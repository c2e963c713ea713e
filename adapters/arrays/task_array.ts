/**
 * Which tasks a job array has, as people write it: `0-9`, `0-9%4`, `1,3,5-7`, `0-20:5`.
 *
 * @module
 */
import { StreamError } from "../../stream/stream_error.ts";

/** The tasks of a job array. */
export interface TaskArray {
  /** Their indices, ascending. */
  tasks: number[];
  /** How many may run at a time; the scheduler's own bound unless given. */
  limit?: number;
  /** As it was written. */
  text: string;
}

/** Most tasks of one array: each has a channel. */
const MOST = 1_000;

/**
 * Reads which tasks an array has.
 *
 * @param text `first-last`, with a `:step`; numbers and ranges with commas between them; behind them
 * `%limit` for how many may run at a time.
 * @returns The tasks.
 * @throws {StreamError} `bad_request` for anything else, and for more than 1,000 tasks.
 * @example
 * ```ts
 * import { parseTaskArray } from "./task_array.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseTaskArray("0-4:2,7%2"), { tasks: [0, 2, 4, 7], limit: 2, text: "0-4:2,7%2" });
 * ```
 */
export function parseTaskArray(text: string): TaskArray {
  const [, list, most] = /^([\d,:-]+)(?:%(\d{1,9}))?$/.exec(text) ?? refuse(text);
  const tasks = new Set<number>();
  for (const part of list.split(",")) {
    const [, first, last = first, step = "1"] =
      /^(\d{1,9})(?:-(\d{1,9})(?::(\d{1,9}))?)?$/.exec(part) ?? refuse(text);
    if (Number(last) < Number(first) || Number(step) < 1) refuse(text);
    for (let task = Number(first); task <= Number(last); task += Number(step)) {
      tasks.add(task);
      if (tasks.size > MOST) {
        throw new StreamError(
          "bad_request",
          `Cannot submit array ${text}: each task is a stream, expected at most ${MOST}`,
        );
      }
    }
  }
  const limit = most === undefined ? undefined : Number(most);
  if (limit === 0) refuse(text);
  return {
    tasks: [...tasks].sort((a, b) => a - b),
    ...(limit !== undefined && { limit }),
    text,
  };
}

function refuse(text: unknown): never {
  throw new StreamError(
    "bad_request",
    `Cannot read array ${
      JSON.stringify(text)
    }: expected "0-9", "1,3,5-7", "0-20:5", or one of them and "%4" for how many may run at a time`,
  );
}
