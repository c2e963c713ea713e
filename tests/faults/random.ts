/**
 * Random numbers that can be repeated.
 *
 * @module
 */

/** A generator whose seed is printed with a failure. */
export interface Random {
  /** The seed. */
  seed: number;
  /** From 0 to 1. */
  next(): number;
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
}

/**
 * A generator (mulberry32).
 *
 * @param seed The seed; `FAULTS_SEED`, or one of chance, by default.
 * @returns The generator.
 */
export function random(
  seed: number = Number(Deno.env.get("FAULTS_SEED") ?? Math.floor(Math.random() * 2 ** 31)),
): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return { seed, next, between: (low, high) => low + Math.floor(next() * (high - low + 1)) };
}
