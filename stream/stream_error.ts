/**
 * The error that every failing end, refused request and broken promise of this package is told by.
 *
 * @module
 */
import { CODES, type ErrorCode, isErrorCode } from "./error_code.ts";

/** What {@linkcode StreamError} carries beside its message. */
export interface StreamErrorOptions {
  /** Facts about the failure: `exitCode`, `signal`, `stderr`, `node`, `expected` … */
  details?: Record<string, unknown>;
  /** The error underneath. */
  cause?: unknown;
}

/**
 * An error with a stable {@linkcode ErrorCode}.
 *
 * @example
 * ```ts
 * import { StreamError } from "./stream_error.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new StreamError("oom", "The job used more than its 4 GiB");
 * assertEquals(error.code, "oom");
 * assertEquals(error.retry, false);
 * ```
 */
export class StreamError extends Error {
  /** The stable code; callers switch on it. */
  readonly code: ErrorCode;
  /** Facts about the failure; empty where there are none. */
  readonly details: Record<string, unknown>;

  /**
   * Makes an error.
   *
   * @param code What failed, as a code of the table.
   * @param message One sentence that says what was wrong and what was expected.
   * @param options Details and cause.
   */
  constructor(
    code: ErrorCode,
    message: string,
    options: StreamErrorOptions = {},
  ) {
    super(
      message,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = "StreamError";
    this.code = code;
    this.details = options.details ?? {};
  }

  /** Whether the same request may succeed later. */
  get retry(): boolean {
    return CODES[this.code].retry;
  }

  /** The error as the relay and the control API send it. */
  toJSON(): {
    code: ErrorCode;
    message: string;
    details?: Record<string, unknown>;
  } {
    return Object.keys(this.details).length > 0
      ? { code: this.code, message: this.message, details: this.details }
      : { code: this.code, message: this.message };
  }

  /**
   * Any thrown value as a `StreamError`: one is returned as it is, another is wrapped.
   *
   * @param error What was thrown.
   * @param code The code for what is not a `StreamError` yet.
   * @param prefix Words put before the message of what is wrapped.
   * @returns The error.
   */
  static from(
    error: unknown,
    code: ErrorCode = "internal",
    prefix = "",
  ): StreamError {
    if (error instanceof StreamError) return error;
    const message = error instanceof Error ? error.message : String(error);
    return new StreamError(code, prefix + message, { cause: error });
  }

  /**
   * The error in an `{ code, message, details? }` that came over the wire.
   *
   * @param value The parsed JSON.
   * @param fallback The code where the value names none of the table.
   * @returns The error.
   */
  static parse(value: unknown, fallback: ErrorCode = "internal"): StreamError {
    const record = typeof value === "object" && value !== null
      ? value as Record<string, unknown>
      : {};
    const details = record.details;
    return new StreamError(
      isErrorCode(record.code) ? record.code : fallback,
      typeof record.message === "string" ? record.message : "No message was given",
      typeof details === "object" && details !== null
        ? { details: details as Record<string, unknown> }
        : {},
    );
  }
}
