/** @module */

/** Beyond this many cells the table of common lines isn't worth its memory. */
const MAX_CELLS = 1_000_000;

/**
 * Two texts line by line: `-` only in the actual one, `+` only in the expected one.
 *
 * @param actual The first text.
 * @param expected The second text.
 * @returns Lines that begin with `-`, `+` or a space.
 */
export function diff(actual: string, expected: string): string {
  const a = actual.split("\n");
  const b = expected.split("\n");
  if (a.length * b.length > MAX_CELLS) {
    return [...a.map((x) => `- ${x}`), ...b.map((x) => `+ ${x}`)].join("\n");
  }
  // common[i][j]: the longest common subsequence of a from i and b from j.
  const common = Array.from(
    { length: a.length + 1 },
    () => new Uint32Array(b.length + 1),
  );
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      common[i][j] = a[i] === b[j]
        ? common[i + 1][j + 1] + 1
        : Math.max(common[i + 1][j], common[i][j + 1]);
    }
  }
  const lines: string[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push(`  ${a[i++]}`);
      j++;
    } else if (
      j === b.length || (i < a.length && common[i + 1][j] >= common[i][j + 1])
    ) {
      lines.push(`- ${a[i++]}`);
    } else {
      lines.push(`+ ${b[j++]}`);
    }
  }
  return lines.join("\n");
}
