/**
 * A valid access token whenever one is needed.
 *
 * @module
 */
import { StreamError } from "../../stream/stream_error.ts";
import { askForTokens, type AuthService, type Grant } from "./auth_service.ts";
import type { GlobusClient, GlobusLogin, GlobusPerson } from "./globus_login.ts";
import { keepLogin, readLogin } from "./kept_login.ts";
import { nativeLogin, refreshLogin } from "./native_login.ts";

/** The access tokens of one login; they are asked for when the first one is needed. */
export class AccessTokens {
  #login: GlobusLogin;
  #auth: AuthService;
  #grant?: Promise<Grant>;

  /**
   * @param login Who one is.
   * @param auth Where tokens come from.
   */
  constructor(login: GlobusLogin, auth: AuthService) {
    this.#login = login;
    this.#auth = auth;
  }

  /** Whose registered functions can be found again; a token does not tell. */
  get account(): string | undefined {
    return "token" in this.#login ? undefined : `${this.#auth.url} ${this.#login.clientId}`;
  }

  /**
   * A token that is good as far as is known.
   *
   * @returns The token.
   * @throws {StreamError} `unauthorized` where there is no login, or Globus does not take it.
   */
  async get(): Promise<string> {
    if ("token" in this.#login) return this.#login.token;
    const grant = await this.#current();
    if (grant.expires > Date.now()) return grant.access;
    return await this.renewed(grant.access) ?? grant.access;
  }

  /**
   * Another token than one that was refused.
   *
   * @param refused The token.
   * @returns Another one; `undefined` where there can be none.
   * @throws {StreamError} `unauthorized` where the login has lapsed.
   */
  async renewed(refused: string): Promise<string | undefined> {
    const login = this.#login;
    if ("token" in login) return undefined;
    const held = this.#current();
    const current = await held;
    // somebody else was faster
    if (current.access !== refused) return current.access;
    if (this.#grant !== held) return (await this.#current()).access;
    const grant = "clientSecret" in login
      ? ofClient(this.#auth, login)
      : this.#renew(login, current);
    this.#hold(grant);
    return (await grant).access;
  }

  #current(): Promise<Grant> {
    return this.#grant ?? this.#hold(
      "clientSecret" in this.#login
        ? ofClient(this.#auth, this.#login)
        : ofPerson(this.#auth, this.#login as GlobusPerson),
    );
  }

  #hold(grant: Promise<Grant>): Promise<Grant> {
    this.#grant = grant;
    grant.catch(() => {
      if (this.#grant === grant) this.#grant = undefined;
    });
    return grant;
  }

  async #renew(login: GlobusPerson, { refresh }: Grant): Promise<Grant> {
    try {
      if (refresh === undefined) throw lapsed(login.clientId);
      const grant = await refreshLogin(this.#auth, login.clientId, refresh);
      await keepLogin(this.#auth, login.clientId, grant);
      return grant;
    } catch (error) {
      if (!login.ask || StreamError.from(error).code !== "unauthorized") throw error;
      return await askPerson(this.#auth, login.clientId, login.ask);
    }
  }
}

/**
 * Logs a person in anew and keeps the login, for executors to use.
 *
 * @param auth Where.
 * @param clientId The app.
 * @param ask Shows the page's URL, and gives back the code.
 * @returns The tokens.
 */
export async function askPerson(
  auth: AuthService,
  clientId: string,
  ask: (url: string) => string | Promise<string>,
): Promise<Grant> {
  const grant = await nativeLogin(auth, clientId, ask);
  await keepLogin(auth, clientId, grant);
  return grant;
}

async function ofPerson(auth: AuthService, { clientId, ask }: GlobusPerson): Promise<Grant> {
  const kept = await readLogin(auth, clientId);
  if (kept) return kept;
  if (ask) return await askPerson(auth, clientId, ask);
  throw new StreamError(
    "unauthorized",
    `Cannot log in to Globus: no login of client ${clientId} is kept here, expected \`streamrelay globus login\` or loginToGlobus() first, or option login with clientSecret, token or ask`,
  );
}

function ofClient(auth: AuthService, client: GlobusClient): Promise<Grant> {
  return askForTokens(auth, { grant_type: "client_credentials", scope: auth.scope }, client);
}

function lapsed(clientId: string): StreamError {
  return new StreamError(
    "unauthorized",
    `The login of client ${clientId} to Globus has lapsed: log in again`,
  );
}
