/** @module */
import { type Finding, placeOf, wayOf } from "../finding.ts";
import type { NodeFacts } from "../node_facts.ts";

/**
 * Whether it is a relay that answers: captive portals and proxies answer for others, too.
 *
 * @param facts What was found.
 * @returns One finding; none where nothing answers.
 */
export function relayCheck(facts: NodeFacts): Finding[] {
  const check = "relay";
  const way = wayOf(facts);
  // with another clock or other certificates it may well be one
  if (way) return way.isRelay ? [{ check, state: "ok", message: "a relay answers" }] : [];
  const other = facts.ways.find(({ name, status }) => name === "direct" && status > 0);
  if (!other) return [];
  return [{
    check,
    state: "problem",
    message: `what answers at ${placeOf(facts)} is no relay (HTTP ${other.status})`,
    advice:
      "compare the URL with the relay's own, its path too; something on the way may answer in its place",
  }];
}
