/** @module */
import { type Finding, isReached, wayOf } from "../finding.ts";
import type { NodeFacts } from "../node_facts.ts";

/**
 * Whether the relay's name can be resolved on the node.
 *
 * @param facts What was found.
 * @returns One finding.
 */
export function dnsCheck(facts: NodeFacts): Finding[] {
  const { dns, relay: { host } } = facts;
  if (!dns) return [];
  const found = (state: Finding["state"], message: string, advice?: string): Finding[] => [
    { check: "dns", state, message, ...(advice && { advice }) },
  ];
  if (dns.result === "literal") return found("ok", `${host} is an address: no name to resolve`);
  if (dns.result === "found") return found("ok", `${host} is ${dns.values.split(" ").join(", ")}`);
  const way = wayOf(facts);
  if (way ? way.name !== "direct" : isReached(facts)) {
    return found("ok", `${host} has no address here, and needs none: the proxy looks it up`);
  }
  const servers = dns.values.split(" ").filter(Boolean);
  const asked = servers.length > 0 ? `asked ${servers.join(", ")}` : "no name server is configured";
  return found(
    "problem",
    `${host} can't be resolved on this node (${asked})`,
    "name the relay by its address, in relay.jobUrl, or ask the site for a name server that knows it",
  );
}
