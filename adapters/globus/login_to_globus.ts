/**
 * Logs a person in to Globus, once, for all executors of this user.
 *
 * @module
 */
import { StreamError } from "../../stream/stream_error.ts";
import { askPerson } from "./access_tokens.ts";
import { type AuthService, COMPUTE_SCOPE, revokeToken } from "./auth_service.ts";
import type { GlobusConfig } from "./globus_config.ts";
import { forgetLogin, readLogin } from "./kept_login.ts";
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
 * Forgets a login that is kept here, and makes its tokens worthless.
 *
 * @param options The app.
 * @returns Whether one was kept.
 * @throws {StreamError} `upstream` where Globus does not take the tokens back; the login is forgotten
 * all the same.
 * @example
 * ```ts ignore
 * import { logoutOfGlobus } from "@streamrelay/cli/adapters";
 *
 * await logoutOfGlobus({ clientId: "the id of your native app" });
 * ```
 */
export async function logoutOfGlobus(
  options: Omit<GlobusLoginOptions, "ask">,
): Promise<boolean> {
  const { clientId } = options;
  const auth = authServiceOf(options);
  const kept = await readLogin(auth, clientId);
  await forgetLogin(auth, clientId);
  if (!kept) return false;
  try {
    // the one for new tokens first: without it the other ends by itself
    if (kept.refresh !== undefined) await revokeToken(auth, clientId, kept.refresh);
    await revokeToken(auth, clientId, kept.access);
  } catch (cause) {
    throw new StreamError(
      "upstream",
      `The login is forgotten here, but Globus may honour its tokens until they end: ${
        (cause as Error).message
      }`,
      { cause },
    );
  }
  return true;
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
