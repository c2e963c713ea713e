/**
 * What nearly every record begins and ends with. In memory a byte stands in its place: a token has some five
 * characters, and the JSON around it thirty.
 *
 * @module
 */

/** Beginning and end of a token's record, and the byte for both; JSON text holds no such byte. */
export interface TokenShell {
  /** The byte. */
  mark: number;
  /** What comes before the content. */
  head: string;
  /** What comes after it. */
  tail: string;
}

/** As our own producers write it, and as Python's package does; their bytes count from 1. */
const SHELLS: readonly TokenShell[] = [
  { head: '{"type":"token","content":"', tail: '"}' },
  { head: '{"type": "token", "content": "', tail: '"}' },
].map((shell, at) => ({ ...shell, mark: at + 1 }));

/**
 * The shell of a record.
 *
 * @param record One record.
 * @returns Its shell, or `undefined` when it has none that is known.
 * @example
 * ```ts
 * import { shellOf } from "./token_shell.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(shellOf('{"type":"token","content":"Hi"}')?.mark, 1);
 * assertEquals(shellOf('{"type":"done"}'), undefined);
 * ```
 */
export function shellOf(record: string): TokenShell | undefined {
  for (const shell of SHELLS) {
    const { head, tail } = shell;
    const isLongEnough = record.length >= head.length + tail.length;
    if (isLongEnough && record.startsWith(head) && record.endsWith(tail)) return shell;
  }
}

/**
 * Whether a line begins with the byte of a shell. A record that does so by itself can't be kept in this form.
 *
 * @param line A record, or what is kept of one.
 * @returns Whether its first character is such a byte.
 * @example
 * ```ts
 * import { isMarked } from "./token_shell.ts";
 * import { assert } from "@std/assert";
 *
 * assert(isMarked("\x01"));
 * assert(!isMarked("{}"));
 * ```
 */
export function isMarked(line: string): boolean {
  const first = line.charCodeAt(0);
  return first >= 1 && first <= SHELLS.length;
}

/**
 * Puts the shells back.
 *
 * @param kept Records joined by LF, with bytes in the place of their shells.
 * @returns The records.
 * @example
 * ```ts
 * import { withShells } from "./token_shell.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(withShells("\x01Hi\n{}"), '{"type":"token","content":"Hi"}\n{}');
 * ```
 */
export function withShells(kept: string): string {
  return kept.split("\n").map((line) => {
    if (!isMarked(line)) return line;
    const { head, tail } = SHELLS[line.charCodeAt(0) - 1];
    return head + line.slice(1) + tail;
  }).join("\n");
}
