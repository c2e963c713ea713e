/**
 * Functions, arguments and results as Globus Compute carries them.
 *
 * A buffer begins with two characters that name its strategy and a line break: `st` is Python source,
 * `11` is JSON, `00` is a pickle. Buffers are packed one after the other, each behind its length in
 * Unicode code points (Python's `len`, not UTF-16's `length`) and a line break.
 *
 * @module
 */
import { StreamError } from "../../stream/stream_error.ts";
import { pickledText } from "./pickled_text.ts";

/** What a result should come as: JSON, where the endpoint is new enough to be asked. */
export const RESULT_SERIALIZERS: readonly string[] = ["globus_compute_sdk.serialize.JSONData"];

/**
 * A function as it is registered.
 *
 * @param name The function's name in the source.
 * @param source Python source; its functions begin at column 0.
 * @returns The `function_code`.
 * @example
 * ```ts
 * import { functionCode } from "./wire_format.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(functionCode("f", "def f(): pass\n"), "19\nst\nf:def f(): pass\n");
 * ```
 */
export function functionCode(name: string, source: string): string {
  return pack([`st\n${name}:${source}`]);
}

/**
 * The arguments of one call, as a task's payload.
 *
 * @param args Keyword arguments.
 * @returns The payload.
 * @example
 * ```ts
 * import { taskPayload } from "./wire_format.ts";
 * import { assertEquals } from "@std/assert";
 *
 * // one character beyond the Basic Multilingual Plane counts as one
 * assertEquals(taskPayload({ a: "😀" }), '5\n11\n[]12\n11\n{"a":"😀"}');
 * ```
 */
export function taskPayload(args: Record<string, unknown>): string {
  return pack([`11\n[]`, `11\n${JSON.stringify(args)}`]);
}

/**
 * What a function returned.
 *
 * @param text A task's `result`.
 * @returns The value: any JSON value, or a text out of an old endpoint's pickle.
 * @throws {StreamError} `upstream` for what is neither.
 * @example
 * ```ts
 * import { decodeResult } from "./wire_format.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(decodeResult('11\n{"sum": 43}'), { sum: 43 });
 * ```
 */
export function decodeResult(text: string): unknown {
  const body = text.slice(3);
  switch (text.slice(0, 3)) {
    case "11\n":
      return parseJson(body);
    case "00\n":
      return pickledText(body);
  }
  throw unreadable(`it begins with ${JSON.stringify(text.slice(0, 8))}`);
}

function pack(buffers: string[]): string {
  return buffers.map((buffer) => `${codePoints(buffer)}\n${buffer}`).join("");
}

function codePoints(text: string): number {
  let pairs = 0;
  for (let i = 0; i < text.length; i++) {
    // the first half of a pair; one without its second half is no text, and JSON has none
    if ((text.charCodeAt(i) & 0xfc00) === 0xd800) pairs++;
  }
  return text.length - pairs;
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    // version 3.16.0 alone wrote it in base64
  }
  try {
    const bytes = Uint8Array.from(atob(body), (character) => character.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw unreadable("it is no JSON", cause);
  }
}

function unreadable(why: string, cause?: unknown): StreamError {
  return new StreamError(
    "upstream",
    `Cannot read result of a Globus Compute task: ${why}, expected JSON or a pickled text`,
    { cause },
  );
}
