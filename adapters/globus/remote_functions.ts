/**
 * The functions that Globus Compute runs for us, as Python source.
 *
 * @module
 */
import check from "./relay_check.py" with { type: "text" };
import run from "./run_script.py" with { type: "text" };
import call from "./call_function.py" with { type: "text" };

/** A function that can be registered. */
export interface RemoteFunction {
  /** Its name in the source. */
  name: string;
  /** Python source. */
  source: string;
  /** What it is for. */
  description: string;
}

/** Runs a job script of ours under bash. It is the same for every script. */
export const RUN_SCRIPT: RemoteFunction = {
  name: "streamrelay_run",
  source: `${check}\n\n${run}`,
  description: "streamrelay: runs a job script and streams what it prints",
};

/**
 * Calls a function of the user's: their source, and ours behind it.
 *
 * @param source The user's Python source.
 * @returns The function to register; which of the user's it calls is one of its arguments.
 */
export function callFunction(source: string): RemoteFunction {
  return {
    name: "streamrelay_call",
    source: `${source.replaceAll("\r\n", "\n").trimEnd()}\n\n\n${check}\n\n${call}`,
    description: "streamrelay: calls a function that streams",
  };
}
