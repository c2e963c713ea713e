/**
 * What a stream is made of: the events that every consumer, executor and face speaks.
 *
 * @module
 */
import { type ErrorCode, isErrorCode } from "./error_code.ts";

/** A piece of text. */
export interface TokenEvent {
  /** Names the event. */
  type: "token";
  /** The text; never a torn UTF-8 character. */
  content: string;
}

/** A value that is not text. */
export interface DataEvent {
  /** Names the event. */
  type: "data";
  /** Any JSON value. */
  payload: unknown;
}

/**
 * The states a job goes through, as far as somebody told. `disconnected` and `failing` are not ends:
 * a supervisor is finding out what happened.
 */
export type JobState =
  | "submitted"
  | "queued"
  | "starting"
  | "loading"
  | "running"
  | "disconnected"
  | "failing"
  | "restarted"
  | "cancelling";

/** How the job is doing. */
export interface StatusEvent {
  /** Names the event. */
  type: "status";
  /** The state; a producer may invent others than {@linkcode JobState}. */
  state: JobState | (string & Record<never, never>);
  /** 1-based place in the queue; absent when the scheduler does not tell. */
  position?: number;
  /** Expected start, in milliseconds since 1970. */
  eta?: number;
  /** From 0 to 1. */
  progress?: number;
  /** Why, in the words of whoever knows (`Priority`, `JobHeldUser`, …). */
  reason?: string;
  /** The scheduler's id. */
  jobId?: string;
  /** 1-based; 2 after the first restart. */
  attempt?: number;
  /** The node the job runs on. */
  node?: string;
  /** More facts, such as `exitCode` and `stderr` of a job that is failing. */
  details?: Record<string, unknown>;
  /** When it was received, in milliseconds since 1970. */
  ts?: number;
}

/** Records that were dropped because the relay was configured so. */
export interface GapEvent {
  /** Names the event. */
  type: "gap";
  /** First offset that is missing. */
  from: number;
  /** First offset that is there again. */
  to: number;
}

/** Numbers a producer may report at its end, in the words of the OpenAI API. */
export interface Usage {
  /** Tokens of the prompt. */
  prompt_tokens?: number;
  /** Tokens of the answer. */
  completion_tokens?: number;
  /** Both. */
  total_tokens?: number;
  /** Whatever else the producer counts. */
  [key: string]: unknown;
}

/** The stream is complete. */
export interface DoneEvent {
  /** Names the event. */
  type: "done";
  /** Why it stopped: it was finished, or it ran into a length limit. */
  reason: "completed" | "length";
  /** Numbers, where the producer gave some. */
  usage?: Usage;
  /** Anything else the producer wants to say. */
  meta?: Record<string, unknown>;
  /** When it was received, in milliseconds since 1970. */
  ts?: number;
}

/** The stream failed. */
export interface ErrorEvent {
  /** Names the event. */
  type: "error";
  /** A code of the table. */
  code: ErrorCode;
  /** One sentence. */
  message: string;
  /** Facts: `exitCode`, `signal`, `stderr`, `node`, `by` … */
  details?: Record<string, unknown>;
  /** When it was received, in milliseconds since 1970. */
  ts?: number;
}

/** Anything that can happen in a stream; exactly one `done` or `error` is its last. */
export type StreamEvent =
  | TokenEvent
  | DataEvent
  | StatusEvent
  | GapEvent
  | DoneEvent
  | ErrorEvent;

/**
 * The event in one record of a channel's log.
 *
 * What a v1 producer wrote is understood too: a `done` without a reason is `completed`, an `error`
 * without a code is `job_failed`, and text that is no JSON object becomes `data`.
 *
 * @param line One record: a JSON text without line breaks.
 * @returns The event.
 * @example
 * ```ts
 * import { parseEvent } from "./event.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseEvent('{"type":"token","content":"Hi"}'), { type: "token", content: "Hi" });
 * assertEquals(parseEvent("not JSON"), { type: "data", payload: "not JSON" });
 * ```
 */
export function parseEvent(line: string): StreamEvent {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { type: "data", payload: line };
  }
  return toEvent(value);
}

/**
 * The event in a parsed record; see {@linkcode parseEvent}.
 *
 * @param value The parsed JSON.
 * @returns The event; `data` for what is none of the known ones.
 * @example
 * ```ts
 * import { toEvent } from "./event.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(toEvent([1, 2]), { type: "data", payload: [1, 2] });
 * ```
 */
export function toEvent(value: unknown): StreamEvent {
  if (typeof value !== "object" || value === null) {
    return { type: "data", payload: value };
  }
  const record = value as Record<string, unknown>;
  switch (record.type) {
    case "token":
      if (typeof record.content === "string") {
        return record as unknown as TokenEvent;
      }
      break;
    case "data":
      if ("payload" in record) return record as unknown as DataEvent;
      break;
    case "status":
      if (typeof record.state === "string") {
        return record as unknown as StatusEvent;
      }
      break;
    case "gap":
      if (typeof record.from === "number" && typeof record.to === "number") {
        return record as unknown as GapEvent;
      }
      break;
    case "done":
      return {
        ...record,
        type: "done",
        reason: record.reason === "length" ? "length" : "completed",
      };
    case "error":
      return {
        ...record,
        type: "error",
        code: isErrorCode(record.code) ? record.code : "job_failed",
        message: typeof record.message === "string" ? record.message : "No message was given",
      };
  }
  return { type: "data", payload: value };
}
