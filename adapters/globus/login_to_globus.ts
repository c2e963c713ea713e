/**
 * Logs a person in to Globus, once, for all executors of this user.
 *
 * @module
 */
import { askPerson } from "./access_tokens.ts";
import { type AuthService, COMPUTE_SCOPE } from "./auth_service.ts";
import type { GlobusConfig } from "./globus_config.ts";
import { forgetLogin } from "./kept_login.ts";
import { serviceUrl } from "./service_url.ts";

/** What {@linkcode loginToGlobus} needs. */
export interface GlobusLoginOptions {
  /** Id of a native app, registered at app.globus.org. */
  clientId: string;
  /** Shows the person a page to open, and gives back the code they copied from it. */
  ask: (url: string) => string | Promise<string>;
  /** Globus Auth; as for {@linkcode GlobusConfig}. */
  authUrl?: string;
}

/**
 * Logs a person in, and keeps the login in the state folder, mode 0600.
 *
 * @param options The app, and how to ask.
 * @throws {StreamError} `unauthorized` where Globus does not take the code.
 * @example
 * ```ts ignore
 * import { loginToGlobus } from "@streamrelay/cli/adapters";
 *
 * await loginToGlobus({
 *   clientId: "00000000-0000-0000-0000-000000000000",
 *   ask: (url) => prompt(`Open ${url}\nand paste the code:`) ?? "",
 * });
 * ```
 */
export async function loginToGlobus(options: GlobusLoginOptions): Promise<void> {
  await askPerson(authServiceOf(options), options.clientId, options.ask);
}

/**
 * Forgets a login that is kept here; Globus still honours its tokens until they end.
 *
 * @param options The app.
 * @example
 * ```ts ignore
 * import { logoutOfGlobus } from "@streamrelay/cli/adapters";
 *
 * await logoutOfGlobus({ clientId: "the id of your native app" });
 * ```
 */
export async function logoutOfGlobus(
  options: Omit<GlobusLoginOptions, "ask">,
): Promise<void> {
  await forgetLogin(authServiceOf(options), options.clientId);
}

/**
 * Where tokens come from.
 *
 * @param config What is configured.
 * @returns Globus Auth, and what to ask it for.
 */
export function authServiceOf(
  config: Pick<GlobusConfig, "authUrl" | "requestTimeout">,
): AuthService {
  const url = config.authUrl ?? Deno.env.get("GLOBUS_SDK_SERVICE_URL_AUTH") ??
    "https://auth.globus.org";
  return {
    url: serviceUrl(url, "authUrl"),
    scope: Deno.env.get("GLOBUS_COMPUTE_SCOPE") ?? COMPUTE_SCOPE,
    timeout: config.requestTimeout ?? 60_000,
  };
}
