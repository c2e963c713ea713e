/** @module */
import { percentile } from "./stats.ts";

/** What a slice of time showed. */
export interface Slice {
  /** Milliseconds that each message took, from before `JSON.stringify` to after `JSON.parse`. */
  latencies: Float64Array;
  /** Seconds of processor time that the server used meanwhile. */
  cpu: number;
}

/** How long messages took. */
export interface Latency {
  /** Milliseconds at the median. */
  p50: number;
  /** The same at the 99th percentile. */
  p99: number;
  /** Microseconds of processor time that the server used for a message. */
  cpu: number;
}

/**
 * Takes the slices of a round together.
 *
 * @param slices The slices of one server.
 * @returns The latencies of all their messages.
 * @example
 * ```ts
 * import { latencyOf } from "./latency.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const slices = [1, 2, 3].map((ms) => ({ latencies: Float64Array.of(ms), cpu: 1e-5 }));
 * assertEquals(latencyOf(slices).p50, 2);
 * ```
 */
export function latencyOf(slices: readonly Slice[]): Latency {
  const all = slices.flatMap(({ latencies }) => [...latencies]);
  const cpu = slices.reduce((sum, slice) => sum + slice.cpu, 0);
  return {
    p50: percentile(all, 0.5),
    p99: percentile(all, 0.99),
    cpu: cpu / all.length * 1e6,
  };
}
