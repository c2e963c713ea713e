/**
 * What a scheduler's programs say, as errors of ours.
 *
 * @module
 */
import { StreamError } from "../stream/stream_error.ts";

/**
 * The error of a submit command that refused.
 *
 * @param program Its name, which it may begin its lines with.
 * @param words What it said.
 * @returns `submit_failed`, in its own words.
 * @example
 * ```ts
 * import { refusal } from "./scheduler_words.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(refusal("qsub", "qsub: Unknown queue\n").message, "qsub refused: Unknown queue");
 * ```
 */
export function refusal(program: string, words: string): StreamError {
  const said = words.split("\n").map((line) =>
    line.replace(new RegExp(`^${program}: (error: )?`), "").trim()
  ).filter(Boolean);
  return new StreamError(
    "submit_failed",
    `${program} refused: ${said.join("; ") || "it gave no reason"}`,
    { details: { stderr: words } },
  );
}

/**
 * The error of a question, or of a cancel, that failed; it may be tried again.
 *
 * @param program Its name.
 * @param words What it said, of which the last line tells most.
 * @returns `upstream`.
 * @example
 * ```ts
 * import { failure } from "./scheduler_words.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(failure("squeue", "").message, "squeue failed");
 * ```
 */
export function failure(program: string, words: string): StreamError {
  return new StreamError("upstream", words.trim().split("\n").at(-1) || `${program} failed`);
}
