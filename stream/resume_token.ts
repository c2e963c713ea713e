/**
 * Where a consumer stands in a stream, as one opaque text that can be kept and come back with.
 * It holds no secret: who comes back shows a credential of its own.
 *
 * @module
 */
import { decodeBase64Url, encodeBase64Url } from "@std/encoding/base64url";
import { StreamError } from "./stream_error.ts";

/** A place in a channel. */
export interface ResumePoint {
  /** The channel. */
  channel: string;
  /** The channel's incarnation: another one is another stream. */
  incarnation: string;
  /** The next offset wanted. */
  offset: number;
}

/**
 * The token for a place.
 *
 * @param point The place.
 * @returns Base64url text.
 * @example
 * ```ts
 * import { decodeResumeToken, encodeResumeToken } from "./resume_token.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const point = { channel: "c", incarnation: "i", offset: 7 };
 * assertEquals(decodeResumeToken(encodeResumeToken(point)), point);
 * ```
 */
export function encodeResumeToken(point: ResumePoint): string {
  const { channel, incarnation, offset } = point;
  return encodeBase64Url(JSON.stringify([1, channel, incarnation, offset]));
}

/**
 * The place in a token.
 *
 * @param token What {@linkcode encodeResumeToken} gave.
 * @returns The place.
 * @throws {StreamError} `bad_request` when it is no such token.
 */
export function decodeResumeToken(token: string): ResumePoint {
  try {
    const [version, channel, incarnation, offset] = JSON.parse(
      new TextDecoder().decode(decodeBase64Url(token)),
    );
    if (
      version === 1 && typeof channel === "string" &&
      typeof incarnation === "string"
    ) {
      if (Number.isSafeInteger(offset) && offset >= 0) {
        return { channel, incarnation, offset };
      }
    }
  } catch {
    // told below
  }
  throw new StreamError(
    "bad_request",
    "Cannot read resume token: expected the text that a stream's resumeToken gave",
  );
}
