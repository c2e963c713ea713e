/** @module */
import { type Finding, isReached, placeOf, wayOf } from "../finding.ts";
import type { NodeFacts } from "../node_facts.ts";

const WORDS: Record<string, string> = {
  refused: "refuses connections from this node: nothing listens there, or a firewall rejects them",
  silent: "does not answer this node: as a rule, a firewall drops what goes there",
  failed: "can't be reached from this node",
};

const ADVICE =
  'have the site open that port for compute nodes, name a proxy with --proxy, name a relay that nodes see, such as one on the login node, as relay.jobUrl, or do without a network: transport: "file"';

/**
 * Whether the relay's port can be reached from the node.
 *
 * @param facts What was found.
 * @returns One finding.
 */
export function portCheck(facts: NodeFacts): Finding[] {
  const { port } = facts;
  if (!port) return [];
  const place = placeOf(facts);
  const check = "port";
  if (port.result === "open") {
    return [{ check, state: "ok", message: `${place} takes connections` }];
  }
  const way = wayOf(facts);
  if (way ? way.name !== "direct" : isReached(facts)) {
    const message =
      `${place} takes no connections from this node, and need not: a proxy leads there`;
    return [{ check, state: "ok", message }];
  }
  if (port.result === "unnamed") {
    return [{ check, state: "skipped", message: `${place} was not tried: it has no address here` }];
  }
  const words = WORDS[port.result] ?? WORDS.failed;
  return [{
    check,
    state: "problem",
    message: `${place} ${words}${port.words ? ` (${port.words})` : ""}`,
    advice: ADVICE,
  }];
}
