/**
 * Why nothing of a job reached the relay, in the words of the job's own wrapper and producer.
 *
 * @module
 */

/** What they say beside the reason: that it is tried again, and what came of it. */
const NO_REASON =
  /; trying on$|^the relay may lack some of the stream|^the input could not be fetched|^the relay could not be told|^no output for /;
/** How the producers begin a sentence that holds the reason. */
const BEGINNING = /^(?:the input can't be fetched|streaming stopped): /;

/**
 * Finds it in what the job complained about.
 *
 * @param output The end of the job's stderr; its program may have written there, too.
 * @returns The last reason given, as one sentence; `undefined` where there is none.
 * @example
 * ```ts
 * import { wrapperWords } from "./wrapper_words.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const output = "streamrelay: streaming stopped: connection refused\nbye\n";
 * assertEquals(wrapperWords(output), "connection refused");
 * ```
 */
export function wrapperWords(output: string): string | undefined {
  return output.split("\n")
    .map((line) => /^streamrelay: (.*)$/.exec(line)?.[1] ?? "")
    .filter((words) => words !== "" && !NO_REASON.test(words))
    .at(-1)?.replace(BEGINNING, "");
}
