/**
 * The frames of the v2 face: one line of JSON, then n record lines. `docs/protocol.md` holds the grammar.
 *
 * @module
 */
import { StreamError } from "./stream_error.ts";

/** What a producer's close says of the end: `sealed` when the verdict is inside an encrypted record. */
export type CloseKind = "done" | "error" | "sealed";

/** First line of a frame that a producer sends. */
export interface ProducerHeader {
  /** How many record lines follow. */
  n: number;
  /** Epoch of the claim. */
  e: number;
  /** Seq of the first record. */
  s: number;
  /** Set on the frame whose last record ends the stream. */
  close?: CloseKind;
}

/** First line of a frame that a reader gets. */
export interface ReaderHeader {
  /** How many record lines follow. */
  n: number;
  /** Offset of the first record. */
  o: number;
  /** Who wrote: producer, supervisor or relay. */
  by: "p" | "s" | "r";
  /** Epoch, when a producer wrote. */
  e?: number;
  /** Seq of the first record, when a producer wrote. */
  s?: number;
  /** 1 for a session record sent again, which is not counted in the offsets. */
  re?: 1;
}

/** A frame taken apart. */
export interface Frame<H> {
  /** The parsed first line. */
  header: H;
  /** The record lines, joined by LF, as they came. */
  text: string;
}

/**
 * Whether a message is a frame; otherwise it is a control.
 *
 * @param message A text message of the v2 face.
 * @returns `true` when its first member is `n`.
 * @example
 * ```ts
 * import { isFrame } from "./v2_frame.ts";
 * import { assert } from "@std/assert";
 *
 * assert(isFrame('{"n":1,"e":1,"s":0}\n{}'));
 * assert(!isFrame('{"ack":{"next":1}}'));
 * ```
 */
export function isFrame(message: string): boolean {
  return message.startsWith('{"n":');
}

/**
 * Puts a frame together.
 *
 * @param header The first line; `n` must come first, as in the types' order.
 * @param text The record lines, joined by LF.
 * @returns The message to send.
 * @example
 * ```ts
 * import { encodeFrame } from "./v2_frame.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(encodeFrame({ n: 1, e: 1, s: 0 }, "{}"), '{"n":1,"e":1,"s":0}\n{}');
 * ```
 */
export function encodeFrame(
  header: ProducerHeader | ReaderHeader,
  text: string,
): string {
  return JSON.stringify(header) + "\n" + text;
}

/**
 * Takes a producer's frame apart, and checks it.
 *
 * @param message The text message.
 * @returns Header and record lines.
 * @throws {StreamError} `bad_request` when the header is no such header or the number of lines is not its n.
 * @example
 * ```ts
 * import { decodeProducerFrame } from "./v2_frame.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const frame = decodeProducerFrame('{"n":2,"e":1,"s":5}\n{"a":1}\n{"b":2}');
 * assertEquals(frame.header.s, 5);
 * assertEquals(frame.text, '{"a":1}\n{"b":2}');
 * ```
 */
export function decodeProducerFrame(message: string): Frame<ProducerHeader> {
  const frame = decode<ProducerHeader>(message);
  const { e, s, close } = frame.header;
  if (!isCount(e) || e < 1 || !isCount(s)) {
    throw new StreamError(
      "bad_request",
      `Cannot read frame: e is ${e} and s is ${s}, expected an epoch from 1 and a seq from 0`,
    );
  }
  if (
    close !== undefined && close !== "done" && close !== "error" &&
    close !== "sealed"
  ) {
    throw new StreamError(
      "bad_request",
      `Cannot read frame: close is ${JSON.stringify(close)}, expected done, error or sealed`,
    );
  }
  return frame;
}

/**
 * Takes a reader's frame apart, and checks it.
 *
 * @param message The text message.
 * @returns Header and record lines.
 * @throws {StreamError} `bad_request` when the header is no such header or the number of lines is not its n.
 * @example
 * ```ts
 * import { decodeReaderFrame } from "./v2_frame.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(decodeReaderFrame('{"n":1,"o":7,"by":"r"}\n{}').header.o, 7);
 * ```
 */
export function decodeReaderFrame(message: string): Frame<ReaderHeader> {
  const frame = decode<ReaderHeader>(message);
  if (!isCount(frame.header.o)) {
    throw new StreamError(
      "bad_request",
      `Cannot read frame: o is ${frame.header.o}, expected an offset from 0`,
    );
  }
  return frame;
}

function decode<H extends { n: number }>(message: string): Frame<H> {
  const lf = message.indexOf("\n");
  if (lf < 0) {
    throw new StreamError(
      "bad_request",
      "Cannot read frame: no line follows its first, expected n record lines",
    );
  }
  let header: H;
  try {
    header = JSON.parse(message.slice(0, lf));
  } catch (cause) {
    throw new StreamError(
      "bad_request",
      "Cannot read frame: its first line is not JSON",
      { cause },
    );
  }
  const text = message.slice(lf + 1);
  const lines = countLines(text);
  if (!isCount(header.n) || header.n < 1 || lines !== header.n) {
    throw new StreamError(
      "bad_request",
      `Cannot read frame: n is ${header.n} but ${lines} record lines follow`,
    );
  }
  return { header, text };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function countLines(text: string): number {
  let lines = 1;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) {
    lines++;
  }
  return lines;
}
