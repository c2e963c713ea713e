/**
 * The script that finds out, on a node, what a producer would find there.
 *
 * @module
 */
import { generateKey } from "../../stream/encryption.ts";
import { type JobProducer, PRODUCER_ORDER } from "../job/job_script.ts";
import wrapper from "../job/job_wrapper.sh" with { type: "text" };
import { packProducers, unpacker } from "../packed_producers.ts";
import { shellQuote } from "../shell_quote.ts";
import ask from "./ask.py" with { type: "text" };
import doctor from "./node_facts.sh" with { type: "text" };

/** What {@linkcode nodeScript} can be told. */
export interface NodeScriptOptions {
  /** What would send the output; all kinds by default. */
  producer?: JobProducer;
  /** Proxies to try where nothing else leads to the relay. */
  proxies?: readonly string[];
  /**
   * Seconds that each step has.
   *
   * @default {10}
   */
  patience?: number;
}

/**
 * Builds the script. It takes the relay, and the channel that it may try things on, from
 * `STREAMRELAY_URL`, `STREAMRELAY_CHANNEL` and `STREAMRELAY_TOKEN`; without a channel it does not stream.
 *
 * @param options Producers, proxies, time-outs.
 * @returns A bash script, without any secret in it.
 * @example
 * ```ts
 * import { nodeScript } from "./node_script.ts";
 * import { assert } from "@std/assert";
 *
 * assert(nodeScript().startsWith("#!/bin/bash\n"));
 * ```
 */
export function nodeScript(options: NodeScriptOptions = {}): string {
  const { producer = {}, proxies = [], patience = 10 } = options;
  const use = PRODUCER_ORDER.filter((kind) => producer.use?.includes(kind) ?? true);
  const list = (values: readonly string[]) => `(${values.map(shellQuote).join(" ")})`;
  return [
    "#!/bin/bash",
    "sr_url=${STREAMRELAY_URL:-} sr_channel=${STREAMRELAY_CHANNEL:-} sr_token=${STREAMRELAY_TOKEN:-} sr_key=${STREAMRELAY_KEY:-}",
    "unset STREAMRELAY_URL STREAMRELAY_CHANNEL STREAMRELAY_TOKEN STREAMRELAY_KEY",
    "unset RELAY_URL CHANNEL_ID RELAY_SECRET RELAY_ENCRYPTION_KEY",
    `sr_sample_key=${
      shellQuote(generateKey())
    } # to see who can encrypt; nothing is encrypted with it`,
    `sr_patience=${Math.max(1, Math.ceil(patience))}`,
    "sr_heartbeat=15 sr_give_up=$sr_patience sr_kill_after=5 sr_drain=2 sr_hint=0 sr_look=2 sr_spool= sr_array=",
    `sr_producer_path=${shellQuote(producer.path ?? "")}`,
    `sr_use=${list(use)} sr_proxies=${list(proxies)}`,
    ...packProducers(use),
    unpacker("ask", ask),
    wrapper.trimEnd(),
    doctor.trimEnd(),
    "{ sr_doctor; exit; }",
    "",
  ].join("\n");
}
