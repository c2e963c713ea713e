/**
 * What the script on the node found, read from what it printed.
 *
 * @module
 */
import type { ProducerKind } from "../packed_producers.ts";

/** What became of asking for the relay's health on one way. */
export interface WayFact {
  /** `direct`, `set` (by the proxy that is set), or where another proxy was found. */
  name: string;
  /** curl's exit code. */
  code: number;
  /** The HTTP status; 0 for none. */
  status: number;
  /** The proxy's status where it was asked for a tunnel; 0 for none. */
  connect: number;
  /** Whether a relay answered. */
  isRelay: boolean;
  /** curl's own words. */
  words: string;
  /** The proxy, without its password. */
  proxy: string;
}

/** A producer on the node. */
export interface ProducerFact {
  /** Its kind; `path` for the one that was named. */
  kind: ProducerKind | "path";
  /** Its version; the path of the one that was named. */
  version: string;
  /** Whether it is there, and can be used. */
  usable: "yes" | "no" | "absent";
  /** Whether it can encrypt. */
  encrypts: boolean;
  /** Whether it reached the relay. */
  reaches: "yes" | "no" | "untried";
  /** What it said. */
  words: string;
}

/** What was found on a node. */
export interface NodeFacts {
  /** The node's name. */
  node: string;
  /** The relay, as the node is told of it. */
  relay: { scheme: string; host: string; port: string };
  /** What its name resolves to: `literal` for an address, `missing` with the name servers. */
  dns?: { result: "literal" | "found" | "missing"; values: string };
  /** What a TCP connection to it comes to. */
  port?: { result: string; words: string };
  /** The proxy that is set for it. */
  proxySet?: { variable: string; proxy: string };
  /** The proxy that is set but not for it, and by which word of `no_proxy`. */
  proxyExempt?: { variable: string; proxy: string; word: string };
  /** Ways that were tried. */
  ways: WayFact[];
  /** Whether there is nothing to try them with. */
  noAsker: boolean;
  /** What TLS comes to; nothing for a relay without. */
  tls?: { result: string; words: string; issuer: string; from: string; until: string };
  /** Seconds that the node's clock is ahead of the relay's. */
  clock?: number;
  /** What an upgrade to a WebSocket was answered with. */
  socket?: { status: number; words: string };
  /** Whether what is uploaded in pieces arrives in pieces. */
  upload?: { result: string; status: number; words: string };
  /** Variables that were not set and had to be assumed, with where the value was found. */
  assumed: { variable: string; value: string; from: string }[];
  /** Producers. */
  producers: ProducerFact[];
  /** Producers that sent the report through the relay, or failed to. */
  streams: { kind: string; sent: boolean; words: string }[];
  /** Whether the report is whole. */
  complete: boolean;
}

const MARK = "streamrelay-doctor\t";

/**
 * Reads what the script printed, whatever stands between its lines. The last report counts, where a job
 * was started twice.
 *
 * @param text The output.
 * @returns The facts; `undefined` where there are none.
 * @example
 * ```ts
 * import { readNodeFacts } from "./node_facts.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const line = (...words: string[]) => ["streamrelay-doctor", ...words].join("\t") + "\n";
 * const facts = readNodeFacts(`Welcome!\n${line("begin")}${line("node", "n1")}${line("clock", "-3")}`);
 * assertEquals([facts?.node, facts?.clock, facts?.complete], ["n1", -3, false]);
 * ```
 */
export function readNodeFacts(text: string): NodeFacts | undefined {
  const lines = text.split("\n").filter((line) => line.startsWith(MARK))
    .map((line) => line.slice(MARK.length).split("\t"));
  const begin = lines.findLastIndex(([name]) => name === "begin");
  if (begin < 0) return undefined;
  const facts: NodeFacts = {
    node: "",
    relay: { scheme: "", host: "", port: "" },
    ways: [],
    noAsker: false,
    assumed: [],
    producers: [],
    streams: [],
    complete: false,
  };
  for (const [name, ...values] of lines.slice(begin)) READERS[name]?.(facts, values);
  return facts;
}

const READERS: Record<string, (facts: NodeFacts, values: string[]) => void> = {
  node: (facts, [node]) => facts.node = node,
  relay: (facts, [scheme, host, port]) => facts.relay = { scheme, host, port },
  dns: (facts, [result, values = ""]) =>
    facts.dns = { result: result as "found", values: values.trim() },
  port: (facts, [result, words = ""]) => facts.port = { result, words },
  "proxy-set": (facts, [variable, proxy]) => facts.proxySet = { variable, proxy },
  "proxy-exempt": (facts, [variable, proxy, word]) => facts.proxyExempt = { variable, proxy, word },
  "no-asker": (facts) => facts.noAsker = true,
  way(facts, [name, code, status, connect, isRelay, words = "", proxy = ""]) {
    facts.ways.push({
      name,
      code: Number(code),
      status: Number(status) || 0,
      connect: Number(connect) || 0,
      isRelay: isRelay === "yes",
      words: plain(words),
      proxy,
    });
  },
  tls(facts, [result, words = "", issuer = "", from = "", until = ""]) {
    facts.tls = { result, words: plain(words), issuer, from, until };
  },
  clock: (facts, [seconds]) => facts.clock = Number(seconds),
  socket: (facts, [status, words = ""]) =>
    facts.socket = { status: Number(status) || 0, words: plain(words) },
  upload: (facts, [result, status, words = ""]) =>
    facts.upload = { result, status: Number(status) || 0, words: plain(words) },
  assumed: (facts, [variable, value, from = ""]) => facts.assumed.push({ variable, value, from }),
  producer(facts, [kind, version, usable, encrypts, reaches, words = ""]) {
    facts.producers.push({
      kind: kind as ProducerFact["kind"],
      version,
      usable: usable as ProducerFact["usable"],
      encrypts: encrypts === "yes",
      reaches: reaches as ProducerFact["reaches"],
      words,
    });
  },
  stream: (facts, [kind, sent, words = ""]) =>
    facts.streams.push({ kind, sent: sent === "yes", words }),
  end: (facts) => facts.complete = true,
};

/** curl's words without its name and number: `curl: (6) Could not …`. */
function plain(words: string): string {
  return words.replace(/^(curl: )?(\(\d+\) )?/, "");
}
