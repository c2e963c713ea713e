/** How many tests of a run passed, failed and were skipped. @module */
import { stripVTControlCharacters } from "node:util";

/** The totals of one or more runs. */
export interface Totals {
  /** Tests that passed. */
  passed: number;
  /** Tests that failed; a file that can't be loaded counts as one. */
  failed: number;
  /** Tests that were left out. */
  skipped: number;
}

/**
 * Reads the closing line of `deno test`.
 *
 * @param output What it printed.
 * @param code Its exit code.
 * @returns Its totals. A run that failed without saying how counts as one failed test.
 */
export function denoTotals(output: string, code: number): Totals {
  const line = stripVTControlCharacters(output)
    .match(/^(?:ok|FAILED) \| (\d+) passed.*$/gm)?.at(-1) ?? "";
  return honest({
    passed: number(line, /(\d+) passed/),
    failed: number(line, /(\d+) failed/),
    skipped: number(line, /(\d+) ignored/),
  }, code);
}

/**
 * Reads the closing lines of `node --test`.
 *
 * @param output What it printed.
 * @param code Its exit code.
 * @returns Its totals. A run that failed without saying how counts as one failed test.
 */
export function nodeTotals(output: string, code: number): Totals {
  const text = stripVTControlCharacters(output);
  const of = (word: string) => number(text, RegExp(`^[ℹ#] ${word} (\\d+)$`, "m"));
  return honest({
    passed: of("pass"),
    failed: of("fail") + of("cancelled"),
    skipped: of("skipped") + of("todo"),
  }, code);
}

/**
 * Adds totals up.
 *
 * @param all The totals of several runs.
 * @returns Their sum.
 */
export function sum(all: readonly Totals[]): Totals {
  const of = (key: keyof Totals) => all.reduce((n, one) => n + one[key], 0);
  return {
    passed: of("passed"),
    failed: of("failed"),
    skipped: of("skipped"),
  };
}

function honest(totals: Totals, code: number): Totals {
  const silent = code !== 0 && totals.failed === 0;
  return silent ? { ...totals, failed: 1 } : totals;
}

function number(text: string, pattern: RegExp): number {
  return Number(text.match(pattern)?.[1] ?? 0);
}
