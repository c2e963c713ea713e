/**
 * Who one is to Globus.
 *
 * @module
 */
import { StreamError } from "../../stream/stream_error.ts";

/** An access token somebody else looks after; it is used until the service refuses it. */
export interface GlobusToken {
  /** The token. */
  token: string;
}

/** A service account: a confidential client's id and secret. */
export interface GlobusClient {
  /** The client's id. */
  clientId: string;
  /** The client's secret. */
  clientSecret: string;
}

/** A person. Their login is kept in the state folder, readable by them alone, until it lapses. */
export interface GlobusPerson {
  /** The id of a native app, registered at app.globus.org. */
  clientId: string;
  /**
   * Where no login is kept: shows the person a page to open, and gives back the code they copied from
   * it. Without it, there has to be a login already.
   */
  ask?: (url: string) => string | Promise<string>;
}

/** Who one is to Globus. */
export type GlobusLogin = GlobusToken | GlobusClient | GlobusPerson;

/**
 * What the environment says: `STREAMRELAY_GLOBUS_TOKEN`, or, as the Globus SDK has it,
 * `GLOBUS_COMPUTE_CLIENT_ID` with `GLOBUS_COMPUTE_CLIENT_SECRET`, or without for a person.
 *
 * @param get Reads a variable; this process's by default.
 * @returns The login.
 * @throws {StreamError} `unauthorized` where there is none.
 * @example
 * ```ts
 * import { loginFromEnvironment } from "./globus_login.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const env: Record<string, string> = { STREAMRELAY_GLOBUS_TOKEN: "t" };
 * assertEquals(loginFromEnvironment((name) => env[name]), { token: "t" });
 * ```
 */
export function loginFromEnvironment(
  get: (name: string) => string | undefined = (name) => Deno.env.get(name),
): GlobusLogin {
  const token = get("STREAMRELAY_GLOBUS_TOKEN");
  if (token) return { token };
  const clientId = get("GLOBUS_COMPUTE_CLIENT_ID");
  const clientSecret = get("GLOBUS_COMPUTE_CLIENT_SECRET");
  if (clientId && clientSecret) return { clientId, clientSecret };
  if (clientId) return { clientId };
  throw new StreamError(
    "unauthorized",
    clientSecret
      ? "Cannot log in to Globus: GLOBUS_COMPUTE_CLIENT_SECRET is set without GLOBUS_COMPUTE_CLIENT_ID, expected both"
      : "Cannot log in to Globus: expected option login, GLOBUS_COMPUTE_CLIENT_ID with GLOBUS_COMPUTE_CLIENT_SECRET, or STREAMRELAY_GLOBUS_TOKEN",
  );
}
