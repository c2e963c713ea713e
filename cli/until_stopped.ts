/** @module */
import type { Relay } from "../server/mod.ts";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * Waits until a relay has stopped. SIGTERM and SIGINT drain it, a second one stops it at once.
 *
 * @param relay The relay.
 */
export async function untilStopped(relay: Relay): Promise<void> {
  let asked = false;
  const stop = () => {
    if (asked) Deno.exit(130);
    asked = true;
    relay.drain();
  };
  for (const signal of SIGNALS) Deno.addSignalListener(signal, stop);
  try {
    await relay.finished;
  } finally {
    for (const signal of SIGNALS) Deno.removeSignalListener(signal, stop);
  }
}
