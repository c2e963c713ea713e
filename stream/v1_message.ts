/**
 * The messages of the v1 face, the protocol of the Python package `streamrelay` 0.3
 * (https://github.com/uicacer/streamrelay): one JSON text a message, forwarded as it is.
 *
 * @module
 */
import { StreamError } from "./stream_error.ts";
import type { ChannelEnd } from "./v2_control.ts";

/**
 * A line break, either word that ends a stream, or an escape, which could spell the same words. Without
 * the words' first quotation mark it is found in half the time, and every message is searched.
 */
const MAY_MATTER = /done"|error"|\\u|[\n\r]/;

/** What the relay has to know of a v1 message. */
export interface V1Message {
  /** One line, ready for the log. */
  line: string;
  /** Set when the message ends the stream. */
  ends?: "done" | "error";
}

/**
 * Whether a v1 message is one record as it stands, and no end: so nearly all are, and need not be parsed.
 *
 * @param message The text message.
 * @returns `false` for one that {@linkcode readV1Message} has to look at.
 * @example
 * ```ts
 * import { isPlainV1 } from "./v1_message.ts";
 * import { assert } from "@std/assert";
 *
 * assert(isPlainV1('{"type": "token", "content": "Hi"}'));
 * assert(!isPlainV1('{"type": "done"}'));
 * ```
 */
export function isPlainV1(message: string): boolean {
  return !MAY_MATTER.test(message);
}

/**
 * Reads as much of a v1 producer's message as a relay must.
 *
 * Most messages are not parsed at all: only one that holds a line break, or that might be `done` or
 * `error`, is. Line breaks can only be white space of the JSON text, and become spaces.
 *
 * @param message The text message.
 * @returns The line for the log, and whether it ends the stream.
 * @throws {StreamError} `bad_request` for a message with line breaks that is not JSON.
 * @example
 * ```ts
 * import { readV1Message } from "./v1_message.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(readV1Message('{"type": "done"}'), { line: '{"type": "done"}', ends: "done" });
 * assertEquals(readV1Message('{\n"a": 1}').line, '{ "a": 1}');
 * ```
 */
export function readV1Message(message: string): V1Message {
  if (isPlainV1(message)) return { line: message };
  const broken = message.includes("\n") || message.includes("\r");
  let value: unknown;
  try {
    value = JSON.parse(message);
  } catch (cause) {
    if (!broken) return { line: message };
    throw new StreamError(
      "bad_request",
      "Cannot take message: it holds a line break and is not JSON, expected one JSON text",
      { cause },
    );
  }
  const line = broken ? message.replace(/[\r\n]/g, " ") : message;
  const type = typeof value === "object" && value !== null
    ? (value as Record<string, unknown>).type
    : undefined;
  return type === "done" || type === "error" ? { line, ends: type } : { line };
}

/**
 * The first message of a v1 client, where the relay has a secret.
 *
 * @example
 * ```ts
 * import { decodeV1Auth, encodeV1Auth } from "./v1_message.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(decodeV1Auth(encodeV1Auth("a token")), "a token");
 * ```
 */
export function encodeV1Auth(secret: string): string {
  return JSON.stringify({ type: "auth", secret });
}

/**
 * The secret in a v1 client's first message.
 *
 * @param message The text message.
 * @returns The secret, or `undefined` when the message is no auth message.
 * @example
 * ```ts
 * import { decodeV1Auth, encodeV1Auth } from "./v1_message.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(decodeV1Auth(encodeV1Auth("s")), "s");
 * ```
 */
export function decodeV1Auth(message: string): string | undefined {
  try {
    const value = JSON.parse(message);
    return value?.type === "auth" && typeof value.secret === "string" ? value.secret : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What a v1 consumer is sent for an end that stands in no record of the log. Python's own producer
 * sends `error` and then `done`; so does this.
 *
 * @param end The verdict.
 * @returns The messages, in order; none when the end is a record that was sent already.
 * @example
 * ```ts
 * import { renderV1End } from "./v1_message.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const end = { kind: "error", by: "supervisor", code: "oom", message: "Out", ts: 0 } as const;
 * assertEquals(renderV1End(end).length, 2);
 * ```
 */
export function renderV1End(end: ChannelEnd): string[] {
  if (end.kind === "sealed") return [];
  const done = JSON.stringify({ type: "done" });
  if (end.kind === "done") return end.offset === undefined ? [done] : [];
  if (end.offset !== undefined) return [done];
  const { code, message, details } = end;
  return [JSON.stringify({ type: "error", code, message, details }), done];
}
