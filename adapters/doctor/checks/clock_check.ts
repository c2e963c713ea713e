/** @module */
import type { Finding } from "../finding.ts";
import type { NodeFacts } from "../node_facts.ts";

/** Seconds by which clocks may differ without a word. */
const TOLERANCE = 30;

/**
 * Whether the node's clock goes like the relay's.
 *
 * @param facts What was found.
 * @returns One finding; none where the relay's time is not known.
 */
export function clockCheck({ clock }: NodeFacts): Finding[] {
  if (clock === undefined) return [];
  const check = "clock";
  if (Math.abs(clock) <= TOLERANCE) {
    return [{ check, state: "ok", message: `the clock goes like the relay's (${clock} s)` }];
  }
  return [{
    check,
    state: "warning",
    message: `this node's clock is ${period(Math.abs(clock))} ${
      clock > 0 ? "ahead of" : "behind"
    } the relay's`,
    advice:
      "have the clock set that is wrong (chrony, ntp): certificates and tokens are valid from one time to another",
  }];
}

function period(seconds: number): string {
  for (const [unit, length] of [["day", 86_400], ["hour", 3_600], ["minute", 60]] as const) {
    if (seconds < 2 * length) continue;
    return `${Math.round(seconds / length)} ${unit}s`;
  }
  return `${seconds} seconds`;
}
