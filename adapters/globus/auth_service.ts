/**
 * Globus Auth: asks for access tokens, and gives them back.
 *
 * @module
 */
import { encodeBase64 } from "@std/encoding/base64";
import { StreamError } from "../../stream/stream_error.ts";
import { serviceError } from "./service_error.ts";

/** The scope of everything in Globus Compute. */
export const COMPUTE_SCOPE =
  "https://auth.globus.org/scopes/facd7ccc-c5f4-42aa-916b-a0e270e2c2a9/all";

/** Seconds before its end from which a token is not used any more. */
const MARGIN = 60;

/** Tokens as they were granted. */
export interface Grant {
  /** The access token. */
  access: string;
  /** When it ends, in milliseconds since 1970. */
  expires: number;
  /** What a new one is had for, without a person. */
  refresh?: string;
}

/** Where tokens come from. */
export interface AuthService {
  /** URL of Globus Auth. */
  url: string;
  /** What the tokens are for. */
  scope: string;
  /** Milliseconds an answer may take. */
  timeout: number;
}

/**
 * Asks for tokens.
 *
 * @param auth Where.
 * @param form The grant, as OAuth 2 writes it.
 * @param client Id and secret, for a client that has one.
 * @returns The tokens.
 * @throws {StreamError} `unauthorized` where Globus refuses, `upstream` where it does not answer.
 */
export async function askForTokens(
  auth: AuthService,
  form: Record<string, string>,
  client?: { clientId: string; clientSecret: string },
): Promise<Grant> {
  const { ok, status, text } = await post(auth, "", form, client);
  if (!ok) {
    const refusal = serviceError("log in", status, text, "upstream");
    const code = status < 500 && status !== 429 ? "unauthorized" : refusal.code;
    throw new StreamError(code, refusal.message, { details: refusal.details });
  }
  return grantOf(text, auth);
}

/**
 * Makes a token of a native app worthless; one that is so already is no failure.
 *
 * @param auth Where it came from.
 * @param clientId The app.
 * @param token The token.
 * @throws {StreamError} `upstream` where Globus does not answer, or refuses.
 */
export async function revokeToken(
  auth: AuthService,
  clientId: string,
  token: string,
): Promise<void> {
  const { ok, status, text } = await post(auth, "/revoke", { token, client_id: clientId });
  if (!ok) throw serviceError("revoke a token", status, text, "upstream");
}

async function post(
  auth: AuthService,
  path: string,
  form: Record<string, string>,
  client?: { clientId: string; clientSecret: string },
): Promise<{ ok: boolean; status: number; text: string }> {
  try {
    const answer = await fetch(`${auth.url}/v2/oauth2/token${path}`, {
      method: "POST",
      body: new URLSearchParams(form),
      redirect: "manual",
      signal: AbortSignal.timeout(auth.timeout),
      headers: {
        accept: "application/json",
        ...(client && {
          authorization: `Basic ${encodeBase64(`${client.clientId}:${client.clientSecret}`)}`,
        }),
      },
    });
    const { ok, status } = answer;
    return { ok, status, text: await answer.text() };
  } catch (cause) {
    throw new StreamError(
      "upstream",
      `Cannot reach Globus Auth at ${auth.url}: ${(cause as Error).message}`,
      { cause },
    );
  }
}

function grantOf(text: string, auth: AuthService): Grant {
  try {
    const answer = JSON.parse(text);
    // tokens of further services, where more than one was asked for, stand beside the first
    const one = [answer, ...answer.other_tokens ?? []].find(({ scope }) =>
      String(scope).split(" ").includes(auth.scope)
    ) ?? answer;
    if (typeof one.access_token !== "string") {
      throw new Error("no access_token");
    }
    return {
      access: one.access_token,
      expires: Date.now() + (Number(one.expires_in) - MARGIN) * 1000,
      ...(typeof one.refresh_token === "string" && { refresh: one.refresh_token }),
    };
  } catch (cause) {
    // the text may hold a token, and is not told
    throw new StreamError(
      "upstream",
      `Cannot read the answer of Globus Auth at ${auth.url}: expected an access token`,
      { cause },
    );
  }
}
