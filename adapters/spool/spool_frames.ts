/**
 * Takes apart what a job writes into its spool. `docs/protocol.md` holds the grammar.
 *
 * @module
 */
import { decodeBase64 } from "@std/encoding/base64";
import { StreamError } from "../../stream/stream_error.ts";
import type { CloseKind } from "../../stream/v2_frame.ts";

/** First line of a spool's file: who writes it. */
export interface SpoolClaim {
  /** Random id of the producer's process. */
  instance: string;
  /** Number of the attempt, which its claim must get as its epoch. */
  epoch: number;
  /** What the claim continues. */
  continues?: { epoch: number; count: number };
}

/** One frame of a spool. */
export interface SpoolFrame {
  /** How many records; none is a sign of life. */
  n: number;
  /** Seq of the first one. */
  s: number;
  /** The records, joined by LF. */
  text: string;
  /** About how many bytes that is. */
  bytes: number;
  /** Set where the last one ends the stream. */
  close?: CloseKind;
}

/** What a piece of a spool's file is. */
export type SpoolPiece = { claim: SpoolClaim } | { frame: SpoolFrame };

/** Bytes of a frame's records; producers write far smaller ones. */
const MAX_BODY = 2 * 1_048_576;

/** Bytes of a line before which no line feed comes that is no header of ours. */
const MAX_HEADER = 4_096;

/**
 * Takes the first piece off the bytes of a spool's file.
 *
 * @param bytes What was read, from the end of the piece before on.
 * @returns The piece, and how many bytes it took; `undefined` where it isn't all there yet.
 * @throws {StreamError} `bad_request` for what can't be one. On a network file system it may be what has
 * not been written yet: reading it again can help.
 * @example
 * ```ts
 * import { nextSpoolPiece } from "./spool_frames.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = new TextEncoder().encode('{"n":1,"e":1,"s":0,"b":2}\n{}\n{"n":1');
 * const { piece, size } = nextSpoolPiece(bytes)!;
 * assertEquals(piece, { frame: { n: 1, s: 0, text: "{}", bytes: 2 } });
 * assertEquals(nextSpoolPiece(bytes.subarray(size)), undefined);
 * ```
 */
export function nextSpoolPiece(
  bytes: Uint8Array,
): { piece: SpoolPiece; size: number } | undefined {
  const lf = bytes.subarray(0, MAX_HEADER).indexOf(10);
  if (lf < 0) {
    if (bytes.length >= MAX_HEADER) throw broken("no header ends within 4,096 bytes");
    return undefined;
  }
  const head = parse(bytes.subarray(0, lf));
  if (head.spool === 1) {
    const { instance, epoch, continues } = head;
    if (typeof instance !== "string" || !isCount(epoch)) {
      throw broken("its first line names no claim");
    }
    return {
      piece: { claim: { instance, epoch, ...(isContinues(continues) && { continues }) } },
      size: lf + 1,
    };
  }
  const { n, s, b, close, as } = head;
  if (!isCount(n) || !isCount(s) || !isCount(b)) throw broken("a header lacks n, s or b");
  if (b > MAX_BODY) {
    throw broken(`a frame is said to have ${b} bytes, expected at most ${MAX_BODY}`);
  }
  const end = lf + 1 + b;
  if (bytes.length <= end) return undefined;
  const body = bytes.subarray(lf + 1, end);
  // what a network file system does not show yet reads as zeros
  if (bytes[end] !== 10 || body.includes(0)) throw broken("a frame does not end where it should");
  const text = as === "base64" ? tokenOf(body) : new TextDecoder().decode(body);
  if (text.split("\n").length !== Math.max(n, 1)) {
    throw broken("a frame's n is not that of its lines");
  }
  return {
    piece: {
      frame: { n, s, text, bytes: as === undefined ? b : 2 * b, ...(isClose(close) && { close }) },
    },
    size: end + 1,
  };
}

/** A shell writes a token's text as base64, because it can't write it as JSON. */
function tokenOf(body: Uint8Array): string {
  const bytes = decodeBase64(new TextDecoder().decode(body));
  const content = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  return JSON.stringify({ type: "token", content });
}

function parse(line: Uint8Array): Record<string, unknown> {
  try {
    return JSON.parse(new TextDecoder().decode(line));
  } catch {
    throw broken("a header is not JSON");
  }
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isClose(value: unknown): value is CloseKind {
  return value === "done" || value === "error" || value === "sealed";
}

function isContinues(value: unknown): value is { epoch: number; count: number } {
  const { epoch, count } = value as { epoch?: unknown; count?: unknown } ?? {};
  return isCount(epoch) && isCount(count);
}

function broken(what: string): StreamError {
  return new StreamError("bad_request", `Cannot read the spool: ${what}`);
}
