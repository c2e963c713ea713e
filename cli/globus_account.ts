/**
 * Which Globus a `globus` command speaks to, and as whom.
 *
 * @module
 */
import { loginFromEnvironment } from "../adapters/globus/globus_login.ts";
import type { GlobusConfig } from "../adapters/globus/mod.ts";
import type { Flag } from "./command.ts";
import { profileOf, readConfig } from "./config.ts";
import type { Given } from "./given.ts";
import { globusLoginOf } from "./globus_login_of.ts";
import { UsageError } from "./usage_error.ts";

/** What says who one is. */
export const ACCOUNT_FLAGS: readonly Flag[] = [
  {
    name: "client-id",
    value: "UUID",
    help: "The app, as registered at app.globus.org",
    env: ["GLOBUS_COMPUTE_CLIENT_ID"],
  },
  {
    name: "profile",
    value: "NAME",
    help: "Profile of the configuration file, with its login",
    env: ["STREAMRELAY_PROFILE"],
  },
];

/** A login, and where it is good. */
export type GlobusAccount = Pick<GlobusConfig, "login" | "authUrl" | "serviceUrl">;

/**
 * The account that was typed, of the profile, or of the environment.
 *
 * @param given What was typed, of {@linkcode ACCOUNT_FLAGS}.
 * @returns The account; without a login where nothing says which.
 * @throws {UsageError} For a profile that is unknown, or whose files can't be read.
 */
export async function globusAccount(given: Given): Promise<GlobusAccount> {
  const name = given.text("profile");
  const profile = name === undefined ? {} : profileOf(await readConfig(), name);
  const { authUrl, serviceUrl } = profile;
  const place = { ...(authUrl && { authUrl }), ...(serviceUrl && { serviceUrl }) };
  const typed = given.typed("client-id");
  if (typed !== undefined) return { ...place, login: { clientId: typed } };
  const login = await globusLoginOf(profile.login);
  return login ? { ...place, login } : place;
}

/**
 * The native app that a person logs in by.
 *
 * @param given What was typed, of {@linkcode ACCOUNT_FLAGS}.
 * @returns Its id, and where it is good.
 * @throws {UsageError} Where none is named, or what is named needs no person.
 */
export async function nativeApp(given: Given): Promise<{ clientId: string; authUrl?: string }> {
  const { login = fromEnvironment(given), authUrl } = await globusAccount(given);
  if (login === undefined) {
    throw new UsageError(
      "No app was given: expected --client-id, GLOBUS_COMPUTE_CLIENT_ID, or a profile with login",
    );
  }
  if (!("clientId" in login) || "clientSecret" in login) {
    throw new UsageError(
      `No person is needed for ${
        "clientId" in login ? `client ${login.clientId}, which has a secret` : "a token"
      }: expected the id of a native app`,
    );
  }
  return { clientId: login.clientId, ...(authUrl && { authUrl }) };
}

function fromEnvironment(given: Given): GlobusConfig["login"] {
  return given.environment("client-id") === undefined ? undefined : loginFromEnvironment();
}
