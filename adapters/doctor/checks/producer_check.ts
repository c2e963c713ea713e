/** @module */
import type { Finding } from "../finding.ts";
import type { NodeFacts, ProducerFact } from "../node_facts.ts";

/**
 * Which producers can be used on the node.
 *
 * @param facts What was found.
 * @returns One finding for each that is there, or one for all where none can be used.
 */
export function producerCheck({ producers }: NodeFacts): Finding[] {
  const check = "producer";
  const findings = producers.filter(({ usable }) => usable !== "absent").map(findingOf);
  if (producers.some(({ usable }) => usable === "yes")) return findings;
  const absent = producers.filter(({ usable }) => usable === "absent").map(({ kind }) => kind);
  return [...findings, {
    check,
    state: "problem",
    message: `no producer can be used on this node${
      absent.length > 0 ? `; not there: ${absent.join(", ")}` : ""
    }`,
    advice:
      "load one with setup (module load python), or put our own on a shared file system (deno task compile) and name it as producer.path",
  }];
}

function findingOf({ kind, version, usable, encrypts, reaches, words }: ProducerFact): Finding {
  const name = kind === "path" ? version : `${kind} ${/\d[\w.]*/.exec(version)?.[0] ?? ""}`.trim();
  const check = "producer";
  if (usable === "no") {
    const message = `${name} can't be used${words ? `: ${words}` : ""}`;
    return kind === "path"
      ? { check, state: "problem", message, advice: "see that producer.path exists on this node" }
      : { check, state: "warning", message };
  }
  const secret = encrypts ? "encrypts" : 'can\'t encrypt (it serves encryption: "off" only)';
  if (reaches === "no") {
    return {
      check,
      state: "warning",
      message: `${name} does not reach the relay${words ? `: ${words}` : ""}`,
    };
  }
  const reach = reaches === "yes" ? "reaches the relay and " : "";
  return { check, state: "ok", message: `${name} ${reach}${secret}` };
}
