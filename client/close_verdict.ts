/**
 * What a closed socket means for whoever was using it.
 *
 * @module
 */
import { codeOfClose, type ErrorCode, StreamError } from "../stream/mod.ts";

/** How a socket was closed. */
export interface SocketClose {
  /** The close code; 1006, or 0 on Deno, when there was no closing handshake. */
  code: number;
  /** The closing side's words. */
  reason: string;
}

/** What to do about it. */
export interface CloseVerdict {
  /** Whether another connection may go on. */
  retry: boolean;
  /** What to tell where it may not. */
  error: StreamError;
}

/** Close codes that are final although the table's ranges don't hold them: v1's, and WebSocket's own. */
const FINAL: Record<number, [ErrorCode, string]> = {
  1003: ["bad_request", "it takes no binary messages"],
  1007: ["bad_request", "it could not understand a message"],
  1008: ["forbidden", "it does not allow this"],
  1009: ["too_large", "a message was larger than it takes"],
  4000: ["not_found", "it does not know this path"],
  4001: ["conflict", "another client holds this channel already"],
  4003: ["unauthorized", "the token or secret is missing or wrong"],
};

/**
 * Tells whether to come back after a close: yes on 4100–4499, 1012 and on every break of the connection;
 * no on 4500–4999 and on v1's 4000, 4001 and 4003.
 *
 * @param close The close.
 * @param url The relay, for the message.
 * @param noted What an `error` control said before the close.
 * @returns The verdict.
 * @example
 * ```ts
 * import { judgeClose } from "./close_verdict.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(judgeClose({ code: 1006, reason: "" }, "ws://a").retry, true);
 * assertEquals(judgeClose({ code: 4513, reason: "" }, "ws://a").error.code, "fenced");
 * ```
 */
export function judgeClose(
  close: SocketClose,
  url: string,
  noted?: StreamError,
): CloseVerdict {
  const { code, reason } = close;
  const said = reason ? `: ${reason}` : "";
  const known = codeOfClose(code);
  if (code >= 4100 && code <= 4999) {
    return {
      retry: code < 4500,
      error: noted ??
        new StreamError(
          known ?? "internal",
          `The relay ${url} closed the connection with ${code}${known ? ` (${known})` : ""}${said}`,
        ),
    };
  }
  const final = FINAL[code];
  if (final !== undefined) {
    return {
      retry: false,
      error: noted ??
        new StreamError(
          final[0],
          `The relay ${url} closed the connection with ${code}${said || `: ${final[1]}`}`,
        ),
    };
  }
  // a relay that stops says `overloaded`, and is worth coming back to
  if (noted !== undefined && !noted.retry && code !== 1012) {
    return { retry: false, error: noted };
  }
  return {
    retry: true,
    error: noted ??
      new StreamError(
        "unreachable",
        `The connection to relay ${url} broke${code > 0 ? ` (${code})` : ""}${said}`,
      ),
  };
}
