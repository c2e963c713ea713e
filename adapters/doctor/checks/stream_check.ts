/** @module */
import type { Finding } from "../finding.ts";
import type { NodeFacts } from "../node_facts.ts";

/**
 * Whether the report itself came through the relay: the proof of all the others.
 *
 * @param facts What was found.
 * @returns One finding.
 */
export function streamCheck({ streams, producers }: NodeFacts): Finding[] {
  const check = "stream";
  const sent = streams.find((one) => one.sent);
  if (sent) {
    return [{ check, state: "ok", message: `${sent.kind} has streamed this report to the relay` }];
  }
  if (streams.length > 0) {
    const each = streams.map(({ kind, words }) => `${kind}: ${words || "it gave no reason"}`);
    const message = `nothing could be streamed to the relay (${each.join("; ")})`;
    return [{ check, state: "problem", message }];
  }
  if (producers.some(({ reaches }) => reaches === "yes")) {
    const message = "no producer that reaches the relay can encrypt";
    const advice = 'use encryption: "off", or load python3 with cryptography, with setup';
    return [{ check, state: "problem", message, advice }];
  }
  if (producers.some(({ reaches }) => reaches === "no")) {
    return [{ check, state: "problem", message: "no producer reaches the relay from this node" }];
  }
  const lack = producers.some(({ usable }) => usable === "yes") ? "channel" : "producer";
  return [{ check, state: "skipped", message: `nothing was streamed: there is no ${lack} for it` }];
}
