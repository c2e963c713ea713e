/**
 * How a job gets its channel's token.
 *
 * @module
 */
import type { JobCredentials } from "./job_script.ts";
import { shellQuote } from "./shell_quote.ts";
import { stateFolder, writePrivate } from "./state_folder.ts";

/**
 * Readies the credentials of a job.
 *
 * @param kind In the script, or in a file.
 * @param token The channel's produce token.
 * @param channel The channel, which names the file.
 * @param folder The folder of the file; the state folder's `credentials` unless given.
 * @returns What the job script has to hold; a file is to be removed at the end.
 */
export async function jobCredentials(
  kind: "script" | "file",
  token: string,
  channel: string,
  folder?: string,
): Promise<JobCredentials> {
  if (kind === "script") return { kind, token };
  if (folder !== undefined) {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  }
  const path = `${folder ?? await stateFolder("credentials")}/${channel}`;
  await writePrivate(path, `STREAMRELAY_TOKEN=${shellQuote(token)}\n`);
  return { kind, path };
}
