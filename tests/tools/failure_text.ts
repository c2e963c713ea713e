/** @module */
import { stripVTControlCharacters } from "node:util";

/** Enough to see what failed and where. */
const MOST_CHARACTERS = 6000;

/**
 * What `deno test` said of the tests that failed, to be repeated at the end of a long run,
 * of which often only the end is kept.
 *
 * @param output What it printed.
 * @returns What it printed from `ERRORS` on, or its last words where it had no such part;
 *   without colours, and with the middle left out where it is long.
 */
export function failureText(output: string): string {
  const text = stripVTControlCharacters(output).trimEnd();
  const errors = text.lastIndexOf("\n ERRORS \n");
  return errors < 0 ? text.slice(-MOST_CHARACTERS / 2) : withoutMiddle(text.slice(errors).trim());
}

function withoutMiddle(text: string): string {
  if (text.length <= MOST_CHARACTERS) return text;
  const half = MOST_CHARACTERS / 2;
  return `${text.slice(0, half)}\n…\n${text.slice(-half)}`;
}
