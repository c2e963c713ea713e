/**
 * The one table of codes: what an error is called, which WebSocket close code and HTTP status carry it,
 * which exit code the command line ends with, and whether trying again can help.
 *
 * `docs/codes.md` is generated from this table and a test holds the two together.
 *
 * @module
 */

/** One row of {@linkcode CODES}. */
export interface CodeRow {
  /** What it means, in one clause. */
  readonly meaning: string;
  /** WebSocket close code of the v2 face (4100–4499 come back, 4500–4999 do not); absent where no socket closes for it. */
  readonly close?: number;
  /** Close code of the v1 face, where it has one of its own. */
  readonly closeV1?: number;
  /** HTTP status of the control API. */
  readonly http: number;
  /** Exit code of the command line when a stream ends with it. */
  readonly exit: number;
  /** Whether the same request may succeed later. */
  readonly retry: boolean;
}

/**
 * Every error code there is. The ranges of the close codes follow Centrifuge's contract: a client
 * reconnects on 4100–4499 and stops on 4500–4999.
 *
 * @example
 * ```ts
 * import { CODES } from "./error_code.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(CODES.fenced.retry, false);
 * ```
 */
export const CODES = {
  // --- what became of the job ---
  submit_failed: {
    meaning: "the scheduler refused the job",
    http: 502,
    exit: 10,
    retry: false,
  },
  never_startable: {
    meaning: "the scheduler will never start the job",
    http: 502,
    exit: 11,
    retry: false,
  },
  job_failed: {
    meaning: "the job ended with a non-zero exit code or a signal",
    http: 502,
    exit: 12,
    retry: false,
  },
  oom: {
    meaning: "the job ran out of memory",
    http: 502,
    exit: 13,
    retry: false,
  },
  walltime: {
    meaning: "the job ran out of time",
    http: 502,
    exit: 14,
    retry: false,
  },
  preempted: {
    meaning: "the job was stopped for one of higher priority",
    http: 502,
    exit: 15,
    retry: true,
  },
  node_failure: {
    meaning: "the node under the job failed",
    http: 502,
    exit: 16,
    retry: true,
  },
  producer_lost: {
    meaning: "the producer went away without saying how the stream ended",
    http: 502,
    exit: 17,
    retry: true,
  },
  restarted: {
    meaning: "the job started over after text had been delivered",
    http: 502,
    exit: 18,
    retry: true,
  },
  job_cancelled: {
    meaning: "somebody else cancelled the job",
    http: 502,
    exit: 19,
    retry: false,
  },
  cancelled: {
    meaning: "the stream was cancelled on request",
    http: 409,
    exit: 130,
    retry: false,
  },
  // --- who may do what ---
  unauthorized: {
    meaning: "no credential, or one that is wrong or has expired",
    close: 4503,
    closeV1: 4003,
    http: 401,
    exit: 20,
    retry: false,
  },
  forbidden: {
    meaning: "the credential is good but not for this channel or role",
    close: 4504,
    closeV1: 4003,
    http: 403,
    exit: 20,
    retry: false,
  },
  policy: {
    meaning: "the site's policy does not allow it",
    http: 403,
    exit: 20,
    retry: false,
  },
  // --- the way to the relay ---
  unreachable: {
    meaning: "the relay could not be reached",
    http: 502,
    exit: 21,
    retry: true,
  },
  timeout: {
    meaning: "an answer did not come in time",
    close: 4102,
    closeV1: 4003,
    http: 504,
    exit: 21,
    retry: true,
  },
  upstream: {
    meaning: "a server behind the job failed",
    http: 502,
    exit: 21,
    retry: true,
  },
  // --- what became of the channel ---
  not_found: {
    meaning: "there is no such channel or path",
    close: 4501,
    closeV1: 4000,
    http: 404,
    exit: 22,
    retry: false,
  },
  expired: {
    meaning: "the channel is gone: its time was over or it was deleted",
    close: 4502,
    http: 410,
    exit: 22,
    retry: false,
  },
  relay_restarted: {
    meaning: "the relay forgot the channel, or made it anew, since the client last saw it",
    close: 4505,
    http: 410,
    exit: 22,
    retry: false,
  },
  ended: {
    meaning: "the channel has its end and takes no more records",
    close: 4506,
    http: 409,
    exit: 22,
    retry: false,
  },
  // --- limits ---
  limit: {
    meaning: "a configured bound was reached",
    close: 4507,
    http: 413,
    exit: 23,
    retry: false,
  },
  too_large: {
    meaning: "a message or body is larger than is taken",
    close: 4508,
    closeV1: 1009,
    http: 413,
    exit: 23,
    retry: false,
  },
  rate_limited: {
    meaning: "too many requests",
    close: 4103,
    http: 429,
    exit: 23,
    retry: true,
  },
  overloaded: {
    meaning: "the relay is full or going away",
    close: 4100,
    http: 503,
    exit: 23,
    retry: true,
  },
  slow: {
    meaning: "the reader was too slow and must go on from its offset",
    close: 4101,
    http: 503,
    exit: 23,
    retry: true,
  },
  // --- what was said ---
  bad_request: {
    meaning: "the message, body or option could not be understood",
    close: 4500,
    closeV1: 1007,
    http: 400,
    exit: 24,
    retry: false,
  },
  bad_offset: {
    meaning: "the offset lies beyond the channel's tail",
    close: 4509,
    http: 416,
    exit: 24,
    retry: false,
  },
  conflict: {
    meaning: "something of that name is there already",
    close: 4510,
    closeV1: 4001,
    http: 409,
    exit: 24,
    retry: false,
  },
  seq_gap: {
    meaning: "a record's seq is not the next of its claim",
    close: 4511,
    http: 409,
    exit: 24,
    retry: false,
  },
  unsupported: {
    meaning: "this side does not do that",
    close: 4512,
    http: 501,
    exit: 24,
    retry: false,
  },
  fenced: {
    meaning: "a newer producer has claimed the channel",
    close: 4513,
    http: 409,
    exit: 25,
    retry: false,
  },
  replaced: {
    meaning: "the same producer has connected again, on another connection",
    close: 4104,
    http: 409,
    exit: 25,
    retry: true,
  },
  // --- encryption ---
  tampered: {
    meaning: "a record was changed, left out, repeated or moved on the way",
    http: 502,
    exit: 26,
    retry: false,
  },
  decrypt_failed: {
    meaning: "a record could not be decrypted: wrong key, or no key",
    http: 502,
    exit: 26,
    retry: false,
  },
  internal: {
    meaning: "a defect of ours",
    close: 4599,
    http: 500,
    exit: 1,
    retry: false,
  },
} as const satisfies Record<string, CodeRow>;

/** The closed union of error codes; see {@linkcode CODES}. */
export type ErrorCode = keyof typeof CODES;

/**
 * Whether a value is one of the codes of the table.
 *
 * @param value What may be a code.
 * @returns `true` for a code of {@linkcode CODES}.
 * @example
 * ```ts
 * import { isErrorCode } from "./error_code.ts";
 * import { assert } from "@std/assert";
 *
 * assert(isErrorCode("oom"));
 * assert(!isErrorCode("toString"));
 * ```
 */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(CODES, value);
}

/**
 * The code that a v2 close code stands for.
 *
 * @param close A WebSocket close code.
 * @returns The code, or `undefined` for a close code that is not of the table.
 * @example
 * ```ts
 * import { codeOfClose } from "./error_code.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(codeOfClose(4513), "fenced");
 * assertEquals(codeOfClose(1000), undefined);
 * ```
 */
export function codeOfClose(close: number): ErrorCode | undefined {
  return BY_CLOSE.get(close);
}

const BY_CLOSE = new Map<number, ErrorCode>(
  Object.entries(CODES).flatMap(([code, row]) =>
    "close" in row ? [[row.close, code as ErrorCode]] : []
  ),
);
