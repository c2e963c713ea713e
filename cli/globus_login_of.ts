/**
 * Who one is to Globus, from what the configuration and the environment say.
 *
 * @module
 */
import type { GlobusLogin } from "../adapters/mod.ts";
import { whyMissing } from "../adapters/why_missing.ts";
import type { Profile } from "./profile.ts";
import { UsageError } from "./usage_error.ts";

/**
 * A configured login as the executor takes it.
 *
 * @param login What a profile says.
 * @returns The login, with its secret or token read; `undefined` where nothing is said, which leaves it
 * to the environment.
 * @throws {UsageError} For a file that can't be read.
 */
export async function globusLoginOf(login: Profile["login"]): Promise<GlobusLogin | undefined> {
  if (login === undefined) return undefined;
  if ("tokenFile" in login) {
    return { token: await lineOf("login.tokenFile", login.tokenFile) };
  }
  const { clientId, clientSecretFile } = login;
  return clientSecretFile === undefined ? { clientId } : {
    clientId,
    clientSecret: await lineOf("login.clientSecretFile", clientSecretFile),
  };
}

async function lineOf(option: string, path: string): Promise<string> {
  try {
    return (await Deno.readTextFile(path)).trim();
  } catch (error) {
    throw new UsageError(
      `Cannot read ${option} ${path}: ${whyMissing(error)}, expected a file with one line`,
    );
  }
}
