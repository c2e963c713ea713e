/** @module */
import { type Finding, leadsThere, placeOf, wayOf } from "../finding.ts";
import type { NodeFacts, WayFact } from "../node_facts.ts";

/**
 * Whether a proxy is needed, is set, and lets the relay through.
 *
 * @param facts What was found.
 * @returns One finding; none where that could not be tried.
 */
export function proxyCheck(facts: NodeFacts): Finding[] {
  const { proxySet, proxyExempt, ways, relay: { host, scheme } } = facts;
  const place = placeOf(facts);
  const way = wayOf(facts);
  const mended = way !== undefined &&
    facts.assumed.some(({ variable }) => /_proxy$/.test(variable));
  const found = (state: Finding["state"], message: string, advice?: string): Finding[] => [
    {
      check: "proxy",
      state,
      message,
      ...(advice && { advice }),
      ...(state === "problem" && mended && { mended }),
    },
  ];
  if (facts.noAsker) {
    const is = proxySet ? `${proxySet.variable} is ${proxySet.proxy}` : "none is set";
    return found(
      "skipped",
      `${is}; ways to the relay are tried with curl or python3, which are not here`,
    );
  }
  if (proxySet) {
    const { variable, proxy } = proxySet;
    const set = ways.find(({ name }) => name === "set");
    if (set && leadsThere(set)) return found("ok", `${variable}=${proxy} leads to ${place}`);
    const why = set ? ` (${refusal(set)})` : "";
    const message = `${variable}=${proxy} does not lead to ${place}${why}`;
    if (way?.name === "direct") {
      return found("problem", `${message}, and is not needed`, `add ${host} to no_proxy`);
    }
    if (way) return found("problem", `${message}; ${way.proxy} does`, use(variable, way));
    return found(
      "problem",
      message,
      scheme === "http"
        ? "give the relay TLS (wss://), which proxies pass on unread, or have the site allow the relay"
        : "have the site's proxy allow the relay's host and port",
    );
  }
  if (way && way.name !== "direct") {
    const where = way.name === "doctor" ? "" : `, which ${way.name} names`;
    return found(
      "problem",
      `${place} is reached only through the proxy ${way.proxy}${where}, and ${scheme}_proxy is not set`,
      use(`${scheme}_proxy`, way),
    );
  }
  const exempt = proxyExempt
    ? `${proxyExempt.variable}=${proxyExempt.proxy} is not used: no_proxy has ${proxyExempt.word}`
    : "none is set";
  if (way) return found("ok", `${exempt}, and none is needed`);
  const tried = ways.filter(({ name }) => name !== "direct");
  if (tried.length > 0) {
    const each = tried.map((one) => `${one.proxy}: ${refusal(one)}`).join("; ");
    return found("problem", `no proxy that is known here leads to ${place} (${each})`);
  }
  return found("skipped", `${exempt}, and none was found on this node to try`);
}

function use(variable: string, { proxy }: WayFact): string {
  return proxy.includes("…@")
    ? `set ${variable} in the job's env or setup, as that file has it with its password`
    : `set ${variable}=${proxy} in the job's env`;
}

function refusal({ status, connect, words }: WayFact): string {
  if (connect >= 400) return `it refuses a tunnel there: HTTP ${connect}`;
  if (status === 407) return "it wants a login: HTTP 407";
  if (status >= 400) return `it refuses: HTTP ${status}`;
  return words || "no relay answered";
}
