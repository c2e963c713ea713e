/**
 * A person's login, kept in the state folder for the next run.
 *
 * @module
 */
import { encodeHex } from "@std/encoding/hex";
import { readPrivate, stateFolder, writePrivate } from "../state_folder.ts";
import type { AuthService, Grant } from "./auth_service.ts";

/**
 * Reads a login.
 *
 * @param auth Where it is good.
 * @param clientId For which app.
 * @returns The tokens; `undefined` where none are kept.
 */
export async function readLogin(
  auth: AuthService,
  clientId: string,
): Promise<Grant | undefined> {
  const kept = await readPrivate(await pathOf(auth, clientId)) as Partial<Grant> | undefined;
  return typeof kept?.access === "string" && typeof kept.expires === "number"
    ? kept as Grant
    : undefined;
}

/**
 * Keeps a login, mode 0600.
 *
 * @param auth Where it is good.
 * @param clientId For which app.
 * @param grant The tokens.
 */
export async function keepLogin(
  auth: AuthService,
  clientId: string,
  grant: Grant,
): Promise<void> {
  await writePrivate(await pathOf(auth, clientId), JSON.stringify(grant) + "\n");
}

/**
 * Forgets a login, whether there was one or not.
 *
 * @param auth Where it was good.
 * @param clientId For which app.
 */
export async function forgetLogin(auth: AuthService, clientId: string): Promise<void> {
  try {
    await Deno.remove(await pathOf(auth, clientId));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** One file a login, so that two processes never write each other's. */
async function pathOf({ url, scope }: AuthService, clientId: string): Promise<string> {
  const name = new TextEncoder().encode(JSON.stringify([url, scope, clientId]));
  const hash = encodeHex(await crypto.subtle.digest("SHA-256", name)).slice(0, 32);
  return `${await stateFolder("globus")}/login-${hash}.json`;
}
