/**
 * The records that the relay writes itself.
 *
 * @module
 */
import { type CloseKind, type ErrorCode, parseEvent, StreamError } from "../stream/mod.ts";
import type { AppendBatch } from "./store/store.ts";

/** What a producer said of its failure. */
export interface Failure {
  /** A code of the table. */
  code: ErrorCode;
  /** One sentence. */
  message: string;
  /** Facts. */
  details?: Record<string, unknown>;
}

/**
 * The failure that the last record of a batch tells of.
 *
 * @param batch Records of which the last is the error.
 * @returns Its code, message and details; of an encrypted one no more than that there is one.
 */
export function failureIn(batch: AppendBatch): Failure {
  const event = parseEvent(batch.text.slice(batch.text.lastIndexOf("\n") + 1));
  if (event.type !== "error") {
    return { code: "job_failed", message: "The producer failed" };
  }
  const { code, message, details } = event;
  return { code, message, details };
}

/**
 * Refuses an end that its own record does not tell: what closes as complete must say so, since readers
 * go by the record and whoever only asks how it ended goes by the close.
 *
 * @param batch Records of which the last is to be the end.
 * @param close How the channel is to be closed.
 * @throws {StreamError} `bad_request` naming both.
 */
export function refuseFalseEnd(batch: AppendBatch, close: CloseKind): void {
  const line = batch.text.slice(batch.text.lastIndexOf("\n") + 1);
  let type: unknown;
  try {
    type = JSON.parse(line)?.type;
  } catch {
    // no JSON tells no end
  }
  const sealed = type === "enc" || type === "enc2";
  if (close === "sealed" ? sealed : type === close || (close === "error" && sealed)) return;
  const expected = close === "sealed" ? "an encrypted record" : `a record of type ${close}`;
  throw new StreamError(
    "bad_request",
    `Cannot close as ${close}: the last record is of type ${
      JSON.stringify(type)
    }, expected ${expected}`,
  );
}

/**
 * A status record, stamped with the time.
 *
 * @param status The state and what is known beside it.
 * @returns One line of JSON.
 */
export function statusRecord(
  status: { state: string } & Record<string, unknown>,
): string {
  return JSON.stringify({ ...status, type: "status", ts: Date.now() });
}

/**
 * Turns the `error` at the end of a producer's batch into a `status {failing}`. A sealed one is passed on
 * inside the status, for whoever holds the key.
 *
 * @param batch Records of which the last is the error.
 * @param keyed Whether the channel is encrypted end to end, and may hold no plaintext details.
 * @returns The batch to append, and the status for supervisors.
 */
export function failingStatus(
  batch: AppendBatch,
  keyed = false,
): { batch: AppendBatch; status: { state: string } & Record<string, unknown> } {
  const at = batch.text.lastIndexOf("\n") + 1;
  const status: { state: string } & Record<string, unknown> = {
    state: "failing",
  };
  try {
    const record = JSON.parse(batch.text.slice(at));
    if (record.type === "enc" || record.type === "enc2") status.sealed = record;
    else {
      const { code, message, details } = record;
      Object.assign(status, { code, reason: message }, !keyed && { details });
    }
  } catch {
    // no JSON: that it failed is all there is to tell
  }
  return {
    batch: { n: batch.n, text: batch.text.slice(0, at) + statusRecord(status) },
    status,
  };
}
