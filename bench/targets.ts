/**
 * What the relay has to reach, each against another figure of the same run.
 *
 * @module
 */
import { type FigureKey, FIGURES, type Measured } from "./report.ts";
import type { ServerName } from "./servers.ts";
import { type Spread, spread } from "./stats.ts";

const NOT_MEASURED: Spread = { median: NaN, min: NaN, max: NaN };

interface Target {
  what: string;
  value: number;
  bound: number;
  /** What the figure is: a ratio or milliseconds. */
  unit: "×" | "ms";
  /** Whether more than the bound is a miss; otherwise less is. */
  most?: boolean;
  /** What it is a ratio to. */
  baseline?: Spread;
}

/**
 * Compares the medians with the targets.
 *
 * @param present The servers that were measured.
 * @returns A line for each target that could be compared.
 */
export function judge(present: readonly Measured[]): string[] {
  const found = (name: ServerName, key: FigureKey) => {
    const values = present.find(({ server }) => server.name === name)?.samples[key] ?? [];
    return values.length === 0 ? NOT_MEASURED : spread(values);
  };
  return targets(found).filter(({ value }) => !Number.isNaN(value)).map((target) => {
    const { what, value, bound, unit, most } = target;
    const met = most ? value <= bound : value >= bound;
    const figure = unit === "×" ? `× ${value.toFixed(2)}` : `${value.toFixed(2)} ms`;
    const remark = isNone(target) ? " (no target: it lies within the baseline's own spread)" : "";
    return `${met ? "met   " : "MISSED"}  ${what}: ${figure}${remark}`;
  });
}

/**
 * Whether the baseline's own rounds lie further from its median than the target does: then a run can't
 * tell it. That one is above the other is no distance from the median.
 */
function isNone({ baseline, bound }: Target): boolean {
  if (baseline === undefined || bound === 1) return false;
  const { median, min, max } = baseline;
  return median * bound >= min && median * bound <= max;
}

function targets(found: (name: ServerName, key: FigureKey) => Spread): Target[] {
  const all: Target[] = [];
  const median = (name: ServerName, key: FigureKey) => found(name, key).median;
  const ratio = (name: ServerName, other: ServerName, key: FigureKey) => {
    const baseline = found(other, key);
    return { value: median(name, key) / baseline.median, unit: "×" as const, baseline };
  };
  const atLeast = (bound: number, name: ServerName, other: ServerName, what: string) => {
    for (const { key, title } of FIGURES.slice(0, 2)) {
      all.push({ what: `${title}: ${what}`, bound, ...ratio(name, other, key) });
    }
  };
  atLeast(0.9, "v1", "bare", "v1 ≥ 0.9 × bare bridge");
  atLeast(5, "v2", "bare", "v2 ≥ 5 × bare bridge");
  atLeast(1, "v1", "python", "v1 above Python's relay");
  atLeast(1, "v2", "python", "v2 above Python's relay");
  atLeast(0.5, "sqlite", "v2", "v2 on sqlite ≥ 0.5 × on memory");
  const atMost = (value: number, bound: number, unit: Target["unit"], what: string) =>
    all.push({ what, value, bound, unit, most: true });
  for (const name of ["v1", "v2"] as const) {
    const what = `200 × 50/s, p99: ${name} ≤ 1.25 × bare bridge`;
    all.push({ what, bound: 1.25, most: true, ...ratio(name, "bare", "busyP99") });
  }
  const more = median("sqlite", "calmP50") - median("bare", "calmP50");
  atMost(more, 1, "ms", "50 × 50/s, p50: v2 on sqlite ≤ bare bridge + 1 ms");
  atMost(median("sqlite", "calmP99"), 10, "ms", "50 × 50/s, p99: v2 on sqlite < 10 ms");
  for (const [name, store] of [["v2", "memory"], ["sqlite", "sqlite"]] as const) {
    atMost(median(name, "replay"), 50, "ms", `replay of 10,000 tokens, ${store} < 50 ms`);
  }
  return all;
}
