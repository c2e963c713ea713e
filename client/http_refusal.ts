/**
 * What an HTTP answer says that is no success.
 *
 * @module
 */
import { CODES, type ErrorCode, StreamError } from "../stream/mod.ts";

/**
 * The error that a relay answered with.
 *
 * @param answer Its status.
 * @param text Its body.
 * @returns The relay's error; `unreachable` where the answer is none of a relay's.
 */
export function refusalOf(answer: Response, text: string): StreamError {
  try {
    const { error } = JSON.parse(text);
    if (typeof error?.message === "string") {
      return StreamError.parse(error, codeOfStatus(answer.status));
    }
  } catch {
    // told below
  }
  return notARelay(answer, text);
}

/**
 * The error for an answer that no relay gives.
 *
 * @param answer Where it came from, and its status.
 * @param text Its body.
 * @param cause Why it can't be read.
 * @returns `unreachable`, quoting the answer.
 */
export function notARelay(
  answer: Response,
  text: string,
  cause?: unknown,
): StreamError {
  return new StreamError(
    "unreachable",
    `The server at ${answer.url || "the relay's address"} answered ${answer.status} with ${
      JSON.stringify(text.slice(0, 80))
    }, expected the control API of a streamrelay relay`,
    { cause },
  );
}

function codeOfStatus(status: number): ErrorCode {
  const codes = Object.keys(CODES) as ErrorCode[];
  return codes.find((code) => CODES[code].http === status) ?? "internal";
}
