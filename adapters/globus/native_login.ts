/**
 * A person's login: they open a page, and copy a code from it.
 *
 * @module
 */
import { encodeBase64Url } from "@std/encoding/base64url";
import { StreamError } from "../../stream/stream_error.ts";
import { askForTokens, type AuthService, type Grant } from "./auth_service.ts";

/**
 * Logs a person in by OAuth's authorization code with PKCE, as a native app.
 *
 * @param auth Where.
 * @param clientId The app.
 * @param ask Shows the page's URL, and gives back the code.
 * @returns Tokens, with one to have new ones for.
 * @throws {StreamError} `unauthorized` for a code that is not good.
 */
export async function nativeLogin(
  auth: AuthService,
  clientId: string,
  ask: (url: string) => string | Promise<string>,
): Promise<Grant> {
  const verifier = encodeBase64Url(crypto.getRandomValues(new Uint8Array(48)));
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const redirect = `${auth.url}/v2/web/auth-code`;
  const query = new URLSearchParams({
    client_id: clientId,
    redirect_uri: redirect,
    scope: auth.scope,
    state: "_default",
    response_type: "code",
    code_challenge: encodeBase64Url(hash),
    code_challenge_method: "S256",
    access_type: "offline",
  });
  const code = (await ask(`${auth.url}/v2/oauth2/authorize?${query}`)).trim();
  if (code === "") {
    throw new StreamError("unauthorized", "Cannot log in to Globus: no code was given");
  }
  return await askForTokens(auth, {
    client_id: clientId,
    grant_type: "authorization_code",
    code,
    code_verifier: verifier,
    redirect_uri: redirect,
  });
}

/**
 * New tokens for a login that is kept.
 *
 * @param auth Where.
 * @param clientId The app.
 * @param refresh The token for it.
 * @returns The tokens.
 * @throws {StreamError} `unauthorized` where the login has lapsed.
 */
export async function refreshLogin(
  auth: AuthService,
  clientId: string,
  refresh: string,
): Promise<Grant> {
  const grant = await askForTokens(auth, {
    client_id: clientId,
    grant_type: "refresh_token",
    refresh_token: refresh,
  });
  // Globus keeps the old one good, and need not say it again
  return { refresh, ...grant };
}
