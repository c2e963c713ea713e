/** The endpoint that the runner has started. @module */
import type { GlobusConfig } from "../../adapters/mod.ts";

/**
 * How an executor is told of it. With a token, so that nothing is kept in the user's state folder.
 *
 * @returns Endpoint, login, addresses; nothing without the runner.
 */
export function globusConfig(): GlobusConfig {
  const known = Deno.env.get("STREAMRELAY_TEST_GLOBUS");
  if (!known) return {};
  const { url, endpoint, token } = JSON.parse(known);
  return { endpoint, login: { token }, serviceUrl: url, authUrl: url };
}

/** The service account that its owner is. */
export function globusClient(): { clientId: string; clientSecret: string } {
  const { clientId, clientSecret } = JSON.parse(Deno.env.get("STREAMRELAY_TEST_GLOBUS")!);
  return { clientId, clientSecret };
}
