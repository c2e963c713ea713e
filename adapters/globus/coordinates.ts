/**
 * A channel's coordinates, as its job script carries them.
 *
 * @module
 */
import { StreamError } from "../../stream/stream_error.ts";

/** What a producer needs to write to a channel. */
export interface Coordinates {
  /** The relay as the job's host reaches it. */
  relayUrl: string;
  /** The channel's token; empty where it is in a file, or the relay asks for none. */
  token: string;
}

/**
 * Reads what `buildJobScript` wrote. Nothing of the user's stands before these lines that could begin a
 * line of its own.
 *
 * @param jobScript The generated script.
 * @returns The coordinates.
 * @throws {StreamError} `internal` where the script has none.
 * @example
 * ```ts
 * import { coordinatesOf } from "./coordinates.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const script = "#!/bin/bash\nsr_url='ws://r/?a&b'\nsr_token=a.b.c\n";
 * assertEquals(coordinatesOf(script), { relayUrl: "ws://r/?a&b", token: "a.b.c" });
 * ```
 */
export function coordinatesOf(jobScript: string): Coordinates {
  return { relayUrl: setting(jobScript, "url"), token: setting(jobScript, "token") };
}

function setting(jobScript: string, name: string): string {
  const word = new RegExp(`^sr_${name}=(.*)$`, "m").exec(jobScript)?.[1];
  if (word === undefined || word.startsWith("$")) {
    throw new StreamError("internal", `Cannot find ${name} in the job script`);
  }
  return word.startsWith("'") ? word.slice(1, -1).replaceAll(`'\\''`, "'") : word;
}
