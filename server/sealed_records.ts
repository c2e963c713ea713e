/**
 * What a relay does for records it can't read: it finds the session that a reader needs first, and
 * keeps plaintext out of a channel that is meant to hold none. A reader relies on none of it.
 *
 * @module
 */
import { StreamError } from "../stream/mod.ts";
import type { Store } from "./store/store.ts";

/** The start of a record that may stand in a keyed channel; Python puts a space behind the colon. */
const ALLOWED = /\{\s*"type"\s*:\s*"(?:enc2?|status|error)"/y;

/** A session record, where it stands. */
export interface SessionRecord {
  /** Its offset. */
  offset: number;
  /** Epoch of the claim it begins. */
  epoch: number;
  /** The record. */
  line: string;
}

/**
 * Finds the session record in force at an offset: the last one that stands before it.
 *
 * @param store Where the channel is.
 * @param id The channel.
 * @param from The first offset that a reader wants.
 * @returns The record; `undefined` where none stands before the offset, or the stream isn't encrypted.
 */
export async function sessionInForce(
  store: Store,
  id: string,
  from: number,
): Promise<SessionRecord | undefined> {
  if (from === 0) return undefined;
  const { claims } = await store.info(id);
  const claim = claims.findLast(({ first }) => first !== undefined && first < from);
  if (claim?.first === undefined) return undefined;
  const [frame] = await store.read(id, claim.first, 1);
  if (frame === undefined || frame.first > claim.first) return undefined;
  const line = frame.text.split("\n", claim.first - frame.first + 1).at(-1)!;
  if (typeOf(line) !== "enc2") return undefined;
  return { offset: claim.first, epoch: claim.epoch, line };
}

/**
 * Adds what a supervisor with the key needs to open a sealed failure: the session it belongs to.
 *
 * @param store Where the channel is.
 * @param id The channel.
 * @param next The channel's tail.
 * @param status A `failing` status.
 * @returns The status, with `session` where it holds a sealed record.
 */
export async function withSession<T extends object>(
  store: Store,
  id: string,
  next: number,
  status: T,
): Promise<T> {
  if (!("sealed" in status)) return status;
  const session = await sessionInForce(store, id, next);
  return session === undefined ? status : { ...status, session: JSON.parse(session.line) };
}

/**
 * Refuses plaintext in a keyed channel, which a producer without the key would write.
 *
 * @param text Record lines, joined by LF.
 * @throws {StreamError} `bad_request` for anything but sealed records, `status` and `error`.
 */
export function refusePlaintext(text: string): void {
  for (let at = 0; at >= 0;) {
    ALLOWED.lastIndex = at;
    if (!ALLOWED.test(text)) {
      throw new StreamError(
        "bad_request",
        "Cannot take plaintext: the channel is encrypted end to end, expected records sealed with its key",
      );
    }
    const lf = text.indexOf("\n", at);
    at = lf < 0 ? -1 : lf + 1;
  }
}

/**
 * What of a supervisor's facts may stand in a keyed channel: not what the program printed.
 *
 * @param facts A status, or the error of an end.
 * @returns The same without `stderr` in its details.
 */
export function withoutOutput<T extends object>(facts: T): T {
  const { details } = facts as { details?: unknown };
  if (typeof details !== "object" || details === null || !("stderr" in details)) return facts;
  const { stderr: _, ...rest } = details as Record<string, unknown>;
  return { ...facts, details: rest };
}

function typeOf(line: string): unknown {
  try {
    return JSON.parse(line)?.type;
  } catch {
    return undefined;
  }
}
