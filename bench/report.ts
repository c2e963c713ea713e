/** @module */
import type { Absent, Server } from "./servers.ts";
import { type Spread, spread } from "./stats.ts";
import { judge } from "./targets.ts";

/** The figures, in the order of the table. */
export const FIGURES = [
  { key: "one", title: "1 channel, unpaced", unit: "k msg/s" },
  { key: "fifty", title: "50 channels, unpaced", unit: "k msg/s" },
  { key: "oneCpu", title: "1 channel, unpaced: processor time of the server", unit: "µs/msg" },
  { key: "fiftyCpu", title: "50 channels, unpaced: processor time of the server", unit: "µs/msg" },
  { key: "slowP50", title: "1 × 100/s, added latency p50", unit: "ms" },
  { key: "slowP99", title: "1 × 100/s, added latency p99", unit: "ms" },
  { key: "calmP50", title: "50 × 50/s, added latency p50", unit: "ms" },
  { key: "calmP99", title: "50 × 50/s, added latency p99", unit: "ms" },
  { key: "busyP50", title: "200 × 50/s, added latency p50", unit: "ms" },
  { key: "busyP99", title: "200 × 50/s, added latency p99", unit: "ms" },
  { key: "busyCpu", title: "200 × 50/s: processor time of the server", unit: "µs/msg" },
  { key: "replay", title: "replay of 10,000 tokens, written a record a frame", unit: "ms" },
] as const;

/** Name of a figure. */
export type FigureKey = typeof FIGURES[number]["key"];

/** What a server showed: one value a round for each figure. */
export type Samples = Record<FigureKey, number[]>;

/**
 * Samples to fill.
 *
 * @returns An empty list for each figure.
 */
export function noSamples(): Samples {
  return Object.fromEntries(FIGURES.map(({ key }) => [key, [] as number[]])) as Samples;
}

/** One row of every table. */
export interface Measured {
  /** The server, running or absent. */
  server: Server | Absent;
  /** Its figures. */
  samples: Samples;
}

/**
 * Writes the tables.
 *
 * @param measured The servers, in order.
 * @param rounds How many rounds there were.
 * @returns The text.
 */
export function report(measured: readonly Measured[], rounds: number): string {
  const present = measured.filter(({ server }) => !("absent" in server));
  const bare = present.find(({ server }) => server.name === "bare");
  const lines = [
    `Medians of ${rounds} interleaved rounds (least–greatest); × is the ratio to the bare bridge.`,
  ];
  for (const { key, title, unit } of FIGURES) {
    lines.push("", `${title}, ${unit}`);
    for (const { server, samples } of present) {
      if (samples[key].length === 0) continue;
      const found = spread(samples[key]);
      const ratio = bare && bare.samples[key].length > 0 &&
        found.median / spread(bare.samples[key]).median;
      lines.push(
        [
          "  " + server.label.padEnd(28),
          batch(server.name, title.includes("unpaced")).padEnd(24),
          number(found.median, unit).padStart(8),
          range(found, unit).padStart(18),
          typeof ratio !== "number" ? "" : `× ${ratio.toFixed(2)}`.padStart(9),
        ].join(""),
      );
    }
  }
  const targets = judge(present);
  if (targets.length > 0) lines.push("", "Targets", ...targets.map((line) => `  ${line}`));
  for (const { server } of measured) {
    if ("absent" in server) lines.push("", `Not measured: ${server.label}: ${server.absent}`);
  }
  return lines.join("\n");
}

function batch(name: string, isUnpaced: boolean): string {
  return (name === "v2" || name === "sqlite") && isUnpaced ? "up to 512 a frame" : "1 a message";
}

function range({ min, max }: Spread, unit: string): string {
  return `(${number(min, unit)}–${number(max, unit)})`;
}

function number(value: number, unit: string): string {
  return unit === "k msg/s" ? (value / 1000).toFixed(0) : value.toFixed(2);
}
