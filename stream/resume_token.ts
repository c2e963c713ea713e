/**
 * Where a consumer stands in a stream, as one opaque text that can be kept and come back with.
 * It holds no secret: who comes back shows a credential of its own.
 *
 * @module
 */
import { decodeBase64Url, encodeBase64Url } from "@std/encoding/base64url";
import { SALT_BYTES } from "./encryption_v2.ts";
import type { SessionPoint } from "./opening_session.ts";
import { StreamError } from "./stream_error.ts";

/** A place in a channel. */
export interface ResumePoint {
  /** The channel. */
  channel: string;
  /** The channel's incarnation: another one is another stream. */
  incarnation: string;
  /** The next offset wanted. */
  offset: number;
  /** The session, where the stream is encrypted (v2): a relay can then offer no other one. */
  session?: SessionPoint;
  /** How many events from the offset on were read already, where an encrypted record holds several. */
  skip?: number;
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
  const { channel, incarnation, offset, session, skip } = point;
  const fields: unknown[] = [session === undefined ? 1 : 2, channel, incarnation, offset];
  if (session !== undefined) fields.push(session.epoch, session.next ?? null, session.salt);
  if (skip) fields.push(skip);
  return encodeBase64Url(JSON.stringify(fields));
}

/**
 * The place in a token.
 *
 * @param token What {@linkcode encodeResumeToken} gave.
 * @returns The place.
 * @throws {StreamError} `bad_request` when it is no such token.
 * @example
 * ```ts
 * import { decodeResumeToken } from "./resume_token.ts";
 * import { StreamError } from "./stream_error.ts";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(() => decodeResumeToken("something else"), StreamError, "Cannot read resume token");
 * ```
 */
export function decodeResumeToken(token: string): ResumePoint {
  try {
    const [version, channel, incarnation, offset, ...more] = JSON.parse(
      new TextDecoder().decode(decodeBase64Url(token)),
    );
    const session = version === 2 ? sessionOf(more.splice(0, 3)) : undefined;
    const [skip = 0] = more;
    if (
      typeof channel === "string" && typeof incarnation === "string" && isCount(offset) &&
      isCount(skip) && (version === 1 || session !== undefined)
    ) {
      const point: ResumePoint = { channel, incarnation, offset };
      if (session !== undefined) point.session = session;
      if (skip > 0) point.skip = skip;
      return point;
    }
  } catch {
    // told below
  }
  throw new StreamError(
    "bad_request",
    "Cannot read resume token: expected the text that a stream's resumeToken gave",
  );
}

function sessionOf([epoch, next, salt]: unknown[]): SessionPoint | undefined {
  if (!isCount(epoch) || (next !== null && !isCount(next)) || typeof salt !== "string") return;
  if (decodeBase64Url(salt).length !== (epoch > 0 ? SALT_BYTES : 0)) return;
  return next === null ? { epoch, salt } : { epoch, next, salt };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
