/** @module */
import type { TokenStream } from "../stream/mod.ts";
import { onInterrupt } from "./on_interrupt.ts";
import { say } from "./say.ts";

const CANCELLED = 130;

/**
 * Makes Ctrl-C and its like cancel a stream's job; a second one leaves at once.
 *
 * @param stream The stream.
 * @returns Stops listening.
 */
export function cancelOnInterrupt(stream: TokenStream): () => void {
  let asked = false;
  return onInterrupt((signal) => {
    if (asked) Deno.exit(CANCELLED);
    asked = true;
    say("Cancelling the job; once more to leave at once");
    stream.cancel(signal === "SIGINT" ? "Ctrl-C" : signal).catch((error) => {
      say(`The job could not be cancelled: ${error.message}`);
      Deno.exit(CANCELLED);
    });
  });
}
