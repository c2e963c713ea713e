/**
 * The coordinates of a channel in environment variables, as a job gets them.
 *
 * @module
 */
import type { EncryptionVersion, RelayAddress } from "./client_options.ts";

/** What {@linkcode fromEnvironment} finds. */
export interface FoundAddress extends Partial<RelayAddress> {
  /** `v1` where the Python package's own variable holds the key. */
  encryption?: EncryptionVersion;
}

const NAMES: Record<keyof RelayAddress, readonly string[]> = {
  url: ["STREAMRELAY_URL", "RELAY_URL"],
  channel: ["STREAMRELAY_CHANNEL", "CHANNEL_ID"],
  token: ["STREAMRELAY_TOKEN", "RELAY_SECRET"],
  key: ["STREAMRELAY_KEY", "RELAY_ENCRYPTION_KEY"],
};

/**
 * Reads what the environment says of a relay and a channel: `STREAMRELAY_URL`, `STREAMRELAY_CHANNEL`,
 * `STREAMRELAY_TOKEN` and `STREAMRELAY_KEY`, or the Python package's `RELAY_URL`, `CHANNEL_ID`,
 * `RELAY_SECRET` and `RELAY_ENCRYPTION_KEY`. Our names win; an empty variable is as good as none. A key in
 * `RELAY_ENCRYPTION_KEY` is one of encryption v1, which is all that the Python package knows.
 *
 * @param env The variables; by default those of the process, where there is one and it may be read.
 * @returns What was found.
 * @example
 * ```ts
 * import { fromEnvironment } from "./environment.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(fromEnvironment({ RELAY_URL: "ws://a", CHANNEL_ID: "c" }), {
 *   url: "ws://a",
 *   channel: "c",
 * });
 * ```
 */
export function fromEnvironment(
  env?: Record<string, string | undefined>,
): FoundAddress {
  const found: FoundAddress = {};
  for (const field of Object.keys(NAMES) as (keyof RelayAddress)[]) {
    for (const name of NAMES[field]) {
      const value = env === undefined ? processVariable(name) : env[name];
      if (value) {
        found[field] = value;
        if (name === "RELAY_ENCRYPTION_KEY") found.encryption = "v1";
        break;
      }
    }
  }
  return found;
}

function processVariable(name: string): string | undefined {
  const runtime = globalThis as {
    process?: { env?: Record<string, string | undefined> };
  };
  try {
    return runtime.process?.env?.[name];
  } catch {
    // Deno throws where --allow-env was not given: then nothing is known
    return undefined;
  }
}
