/**
 * What SQLite's failures are called here.
 *
 * @module
 */
import { type ErrorCode, StreamError } from "../../../stream/mod.ts";

/** Primary result codes, https://www.sqlite.org/rescode.html */
const FAILURES: Record<number, [code: ErrorCode, what: string]> = {
  5: ["conflict", "another relay has it open, expected one relay a folder"],
  8: ["overloaded", "it may not be written to, expected a file that this user can write"],
  10: ["overloaded", "the disk failed to read or write, expected one that works"],
  11: ["internal", "it is damaged, expected a file as it was written; move it away to begin anew"],
  13: ["overloaded", "the disk is full, expected room; come back later"],
  14: ["bad_request", "its file cannot be opened, expected one that this user can read and write"],
  26: ["internal", "its file is not a database, expected one; move it away to begin anew"],
};

/**
 * A failure of the database as an error of the table. What may pass (no room, a disk that fails) is
 * `overloaded`, so that producers keep what they have and come back.
 *
 * @param failure What SQLite said.
 * @param folder Where the store lies.
 * @returns The error.
 */
export function storeFailure(
  failure: { failed: string; errcode: number },
  folder: string,
): StreamError {
  const [code, what] = FAILURES[primaryCode(failure)] ?? ["internal", failure.failed];
  return new StreamError(code, `Cannot use the store in ${folder}: ${what}`, {
    cause: failure.failed,
  });
}

/** `exec()` gives no number, only words. */
function primaryCode({ failed, errcode }: { failed: string; errcode: number }): number {
  if (errcode) return errcode & 0xff;
  if (failed.includes("database or disk is full")) return 13;
  if (failed.includes("database is locked")) return 5;
  if (failed.includes("disk image is malformed")) return 11;
  if (failed.includes("file is not a database")) return 26;
  if (failed.includes("disk I/O error")) return 10;
  if (failed.includes("readonly database")) return 8;
  if (failed.includes("unable to open database")) return 14;
  return 0;
}
