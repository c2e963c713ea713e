/**
 * A producer's records as lines.
 *
 * @module
 */
import { isErrorCode, StreamError } from "../stream/mod.ts";
import type { Failure } from "./producer_options.ts";

/** The line of a token; a hot path. Lone surrogates become U+FFFD, which every UTF-8 has. */
export function tokenLine(text: string): string {
  const content = text.isWellFormed() ? text : text.toWellFormed();
  return '{"type":"token","content":' + JSON.stringify(content) + "}";
}

/**
 * Cuts a long text, but never between the halves of a surrogate pair.
 *
 * @param text The text.
 * @param units How many UTF-16 units a piece has at most.
 * @returns The pieces, in order.
 */
export function splitText(text: string, units: number): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length;) {
    let to = Math.min(at + units, text.length);
    const last = text.charCodeAt(to - 1);
    if (to < text.length && last >= 0xd800 && last <= 0xdbff) to--;
    pieces.push(text.slice(at, to));
    at = to;
  }
  return pieces;
}

/**
 * The line of any record.
 *
 * @param record What is to be written.
 * @param maxBytes What the relay takes.
 * @returns One line of JSON.
 * @throws {StreamError} `bad_request` for what isn't JSON, `too_large` beyond the bound.
 */
export function recordLine(record: unknown, maxBytes: number): string {
  let line: string;
  try {
    line = JSON.stringify(record);
  } catch (cause) {
    throw new StreamError(
      "bad_request",
      "Cannot send record: it can't be written as JSON",
      { cause },
    );
  }
  if (line.length * 3 > maxBytes) {
    const bytes = new TextEncoder().encode(line).length;
    if (bytes > maxBytes) {
      throw new StreamError(
        "too_large",
        `Cannot send record of ${bytes} bytes: expected at most ${maxBytes}`,
      );
    }
  }
  return line;
}

/**
 * An error record's facts.
 *
 * @param error What was thrown, or a {@linkcode Failure}.
 * @returns Code, message, details.
 */
export function describeFailure(
  error: unknown,
): { code: string; message: string; details?: Record<string, unknown> } {
  if (error instanceof StreamError) return error.toJSON();
  if (typeof error === "object" && error !== null && "message" in error) {
    const { code, message, details } = error as Partial<Failure>;
    return {
      code: isErrorCode(code) ? code : "job_failed",
      message: String(message),
      ...(typeof details === "object" && { details }),
    };
  }
  return { code: "job_failed", message: String(error) };
}
