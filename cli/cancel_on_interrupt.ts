/** @module */
import { onInterrupt } from "./on_interrupt.ts";
import { say } from "./say.ts";

const CANCELLED = 130;
const HUNG_UP = 129;

/**
 * Makes Ctrl-C and SIGTERM cancel a stream's job; a second one leaves at once. A terminal that goes away
 * is no wish of anybody's: it leaves the job to its `onDisconnect`.
 *
 * @param stream The stream, or whatever else can cancel the job.
 * @returns Stops listening.
 */
export function cancelOnInterrupt(
  stream: { cancel(reason?: string): Promise<unknown> },
): () => void {
  let asked = false;
  return onInterrupt((signal) => {
    if (signal === "SIGHUP") Deno.exit(HUNG_UP);
    if (asked) Deno.exit(CANCELLED);
    asked = true;
    say("Cancelling the job; once more to leave at once");
    stream.cancel(signal === "SIGINT" ? "Ctrl-C" : signal).catch((error) => {
      say(`The job could not be cancelled: ${error.message}`);
      Deno.exit(CANCELLED);
    });
  });
}
