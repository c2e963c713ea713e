/** @module */
import type { Provided } from "../systems/provided.ts";
import { sum, type Totals } from "./totals.ts";

/** One run of tests, or why there was none. */
export interface Row {
  /** What was run. */
  name: string;
  /** How it went; absent if it was skipped. */
  totals?: Totals;
  /** Why it was skipped. */
  reason?: string;
  /** What it said of the tests that failed. */
  failure?: string;
}

/**
 * Prints the closing table, again what was said of failed tests and, as the very last
 * line, the totals.
 *
 * @param rows The runs.
 * @param systems The systems they could use.
 * @param unmet Systems that were required and aren't there: each is a failure.
 * @returns The totals.
 */
export function printReport(
  rows: readonly Row[],
  systems: readonly Provided[],
  unmet: readonly string[],
): Totals {
  const lines = [
    ["suite", "result"],
    ...rows.map(({ name, totals, reason }) => [
      name,
      totals ? inWords(totals) : `skipped: ${reason}`,
    ]),
    ["", ""],
    ["system", "what it was"],
    ...systems.map(({ name, kind, reason }) => [
      name,
      `${kind}${reason ? `: ${reason}` : ""}${
        unmet.includes(name) ? " (required: a failure)" : ""
      }`,
    ]),
  ];
  const width = Math.max(...lines.map(([name]) => name.length));
  console.log("");
  for (const [name, text] of lines) {
    console.log(`${name.padEnd(width)}  ${text}`.trimEnd());
  }
  for (const { name, failure } of rows) {
    if (failure) console.log(`\nfailed in ${name}:\n${failure}`);
  }
  const totals = sum(rows.flatMap((row) => row.totals ?? []));
  totals.failed += unmet.length;
  console.log("");
  console.log(inWords(totals));
  return totals;
}

function inWords({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
