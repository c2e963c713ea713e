/**
 * Text made safe to stand as one word in a bash script.
 *
 * @module
 */
import { StreamError } from "../stream/mod.ts";

const plain = /^[A-Za-z0-9_@%+=:,./-]+$/;
// deno-lint-ignore no-control-regex -- control characters are what is looked for
const control = /[\x01-\x1f\x7f]/g;

/**
 * One bash word that stands for exactly the given text.
 *
 * Control characters are written as escapes: a line break would otherwise start a line that a
 * scheduler might take for a directive, and `sbatch` refuses scripts with CR LF in them.
 *
 * @param text Any text without a NUL character.
 * @returns The word.
 * @throws {StreamError} `bad_request` when the text holds a NUL character, which no shell can carry.
 * @example
 * ```ts
 * import { shellQuote } from "./shell_quote.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(shellQuote("plain-word"), "plain-word");
 * assertEquals(shellQuote("it's"), `'it'\\''s'`);
 * assertEquals(shellQuote("two\nlines"), String.raw`$'two\x0alines'`);
 * ```
 */
export function shellQuote(text: string): string {
  if (text.includes("\0")) {
    throw new StreamError(
      "bad_request",
      "Cannot quote text: it holds a NUL character, expected text that a shell can carry",
    );
  }
  if (plain.test(text)) return text;
  if (text.search(control) < 0) return `'${text.replaceAll("'", `'\\''`)}'`;
  const escaped = text.replace(/[\\']/g, "\\$&").replace(
    control,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
  return `$'${escaped}'`;
}
