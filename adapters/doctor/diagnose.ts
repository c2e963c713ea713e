/**
 * Puts what was found on a node into words, and into a configuration.
 *
 * @module
 */
import type { ProducerKind } from "../packed_producers.ts";
import { clockCheck } from "./checks/clock_check.ts";
import { dnsCheck } from "./checks/dns_check.ts";
import { portCheck } from "./checks/port_check.ts";
import { producerCheck } from "./checks/producer_check.ts";
import { proxyCheck } from "./checks/proxy_check.ts";
import { relayCheck } from "./checks/relay_check.ts";
import { socketCheck } from "./checks/socket_check.ts";
import { streamCheck } from "./checks/stream_check.ts";
import { tlsCheck } from "./checks/tls_check.ts";
import { type Check, type Finding, wayOf } from "./finding.ts";
import type { NodeFacts } from "./node_facts.ts";

/** What an executor should be told for jobs on such a node. */
export interface NodeConfiguration {
  /** Producers that work there. */
  producer?: { use?: ProducerKind[]; path?: string };
  /** Only where none of them can encrypt. */
  encryption?: "off";
  /** Variables that have to be set. */
  env?: Record<string, string>;
}

/** What is to be said of a node. */
export interface Diagnosis {
  /** The node's name. */
  node: string;
  /** The findings, in the order of the way from the node to the relay. */
  findings: Finding[];
  /**
   * Whether the node can produce: `yes` as it is; `configured` with the configuration; `no`;
   * `untried` where nothing speaks against it, but nothing could be streamed.
   */
  produces: "yes" | "configured" | "no" | "untried";
  /** The verdict, in one sentence. */
  verdict: string;
  /** What to tell an executor. */
  configuration: NodeConfiguration;
}

const CHECKS: Check[] = [
  dnsCheck,
  portCheck,
  proxyCheck,
  tlsCheck,
  relayCheck,
  socketCheck,
  clockCheck,
  producerCheck,
  streamCheck,
];

/**
 * Judges a node by what was found there.
 *
 * @param facts What was found.
 * @returns What to say of it.
 * @example
 * ```ts
 * import { diagnose } from "./diagnose.ts";
 * import { readNodeFacts } from "./node_facts.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const line = (...words: string[]) => ["streamrelay-doctor", ...words].join("\t") + "\n";
 * const facts = readNodeFacts(
 *   line("begin") + line("node", "n1") + line("relay", "https", "relay.example.org", "443") +
 *     line("dns", "missing", "10.0.0.1"),
 * );
 * const { produces, findings } = diagnose(facts!);
 * assertEquals(produces, "no");
 * assertEquals(
 *   findings[0].message,
 *   "relay.example.org can't be resolved on this node (asked 10.0.0.1)",
 * );
 * ```
 */
export function diagnose(facts: NodeFacts): Diagnosis {
  const findings = CHECKS.flatMap((check) => check(facts));
  const problems = findings.filter(({ state }) => state === "problem");
  const sent = facts.streams.find((one) => one.sent);
  const configuration = configurationFor(facts);
  const tried = facts.producers.some(({ reaches }) => reaches !== "untried");
  const assumes = facts.assumed.length > 0;
  let produces: Diagnosis["produces"] = "no";
  if (sent) produces = assumes ? "configured" : "yes";
  else if (!tried && wayOf(facts) && problems.every(({ mended }) => mended)) produces = "untried";
  const node = facts.node || "this node";
  const named = [...new Set(problems.map(({ check }) => check))].join(", ");
  const verdict = {
    yes: `${node} can produce`,
    configured: `${node} can produce with the profile below, and not without (${named})`,
    no: `${node} can't produce (${named || "see above"})`,
    untried: assumes
      ? `${node} may produce with the profile below (${named}), but nothing was streamed to prove it`
      : `nothing speaks against ${node}, but nothing was streamed to prove it`,
  }[produces];
  return { node, findings, produces, verdict, configuration };
}

function configurationFor({ producers, assumed }: NodeFacts): NodeConfiguration {
  const usable = producers.filter(({ usable, reaches }) => usable === "yes" && reaches !== "no");
  const encrypting = usable.filter(({ encrypts }) => encrypts);
  const good = encrypting.length > 0 ? encrypting : usable;
  const path = good.find(({ kind }) => kind === "path")?.version;
  const use = good.map(({ kind }) => kind).filter((kind) => kind !== "path");
  // a password that is masked here is nothing to copy
  const env = assumed.filter(({ value }) => !value.includes("…@"))
    .map(({ variable, value }) => [variable, value]);
  return {
    ...(good.length > 0 && { producer: { ...(path && { path }), ...(use.length > 0 && { use }) } }),
    ...(good.length > 0 && encrypting.length === 0 && { encryption: "off" }),
    ...(env.length > 0 && { env: Object.fromEntries(env) }),
  };
}
