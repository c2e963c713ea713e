/** @module */
import type { NodeFacts, WayFact } from "./node_facts.ts";

/** What one check comes to. */
export interface Finding {
  /** The check: `dns`, `port`, `proxy`, … */
  check: string;
  /**
   * `problem`: nothing can be produced as long as it is so; `warning`: it can, but something is amiss;
   * `skipped`: it could not be tried.
   */
  state: "ok" | "warning" | "problem" | "skipped";
  /** What was found, in one sentence. */
  message: string;
  /** What to do about it. */
  advice?: string;
  /** Whether the configuration that is proposed takes care of it. */
  mended?: boolean;
}

/** One check: puts what was found on the node into words. */
export type Check = (facts: NodeFacts) => Finding[];

/**
 * The relay's host and port, as people write them.
 *
 * @param facts What was found.
 * @returns For example `relay.example.org:443`.
 */
export function placeOf({ relay: { host, port } }: NodeFacts): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/**
 * Whether a way led to the relay's host, whatever TLS made of it.
 *
 * @param way The way.
 * @returns Whether it did.
 */
export function leadsThere(way: WayFact): boolean {
  return way.isRelay || [35, 51, 58, 59, 60, 77].includes(way.code);
}

/**
 * The way that leads to the relay from the node.
 *
 * @param facts What was found.
 * @returns The first one that does; `undefined` where none was found, or none could be tried.
 */
export function wayOf(facts: NodeFacts): WayFact | undefined {
  return facts.ways.find(leadsThere);
}

/**
 * Whether a producer reached the relay, by whatever way.
 *
 * @param facts What was found.
 * @returns Whether one did.
 */
export function isReached(facts: NodeFacts): boolean {
  return facts.producers.some(({ reaches }) => reaches === "yes");
}
