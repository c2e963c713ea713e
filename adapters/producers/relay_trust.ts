/**
 * Whether this host trusts the relay's certificate: where it doesn't, trying on can't help.
 *
 * @module
 */
import { hostname } from "node:os";
import { ControlClient } from "../../client/control_client.ts";
import { StreamError } from "../../stream/mod.ts";

/**
 * What to do about a certificate that isn't trusted.
 *
 * @param error What a request failed with.
 * @param urls The relays that were tried.
 * @returns One sentence; `undefined` where it is something else that failed, or there are other relays.
 * @example
 * ```ts
 * import { distrustIn } from "./relay_trust.ts";
 * import { StreamError } from "../../stream/mod.ts";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const error = new StreamError("unreachable", "Cannot reach relay wss://r: self-signed certificate");
 * assertStringIncludes(distrustIn(error, ["wss://r"]) ?? "", "expected SSL_CERT_FILE");
 * ```
 */
export function distrustIn(error: unknown, urls: readonly string[]): string | undefined {
  if (!(error instanceof StreamError) || error.code !== "unreachable" || urls.length > 1) return;
  // the runtimes' own words; what begins otherwise may quote anybody's
  const [, words] = /^Cannot reach relay \S+: (.*certificate.*)$/is.exec(error.message) ?? [];
  if (words === undefined) return;
  const why = /invalid peer certificate: .*$/is.exec(words)?.[0] ?? words;
  return `the certificate of ${
    urls[0]
  } is not trusted on ${hostname()} (${why}); expected SSL_CERT_FILE to name the CAs that signed it`;
}

/**
 * Asks the relay that the environment names for a sign of life, once.
 *
 * @returns Why its certificate isn't trusted; `undefined` where it is, or can't be seen now.
 */
export async function findDistrust(): Promise<string | undefined> {
  const relay = new ControlClient({ token: "" });
  if (!relay.urls.some((url) => url.startsWith("wss:"))) return undefined;
  try {
    await relay.health();
  } catch (error) {
    return distrustIn(error, relay.urls);
  }
}
