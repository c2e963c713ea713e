/** @module */

/**
 * The value below which a share of all values lies.
 *
 * @param values Some values, in any order.
 * @param share From 0 to 1.
 * @returns That value; `NaN` of none.
 * @example
 * ```ts
 * import { percentile } from "./stats.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(percentile([3, 1, 2], 0.5), 2);
 * ```
 */
export function percentile(values: ArrayLike<number>, share: number): number {
  if (values.length === 0) return NaN;
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

/** Median, least and greatest of a figure's rounds. */
export interface Spread {
  /** The median. */
  median: number;
  /** The least. */
  min: number;
  /** The greatest. */
  max: number;
}

/**
 * The median of a figure's rounds, and how far apart they lay.
 *
 * @param values One value a round.
 * @returns Median and extremes.
 * @example
 * ```ts
 * import { spread } from "./stats.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(spread([3, 1, 2]), { median: 2, min: 1, max: 3 });
 * ```
 */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return {
    median: (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2,
    min: Math.min(...values),
    max: Math.max(...values),
  };
}
