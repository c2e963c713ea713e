/**
 * How a job gets its channel's token and its stream's key.
 *
 * @module
 */
import { shellQuote } from "../shell_quote.ts";
import { type JobFiles, localFiles } from "./job_files.ts";
import type { JobCredentials } from "./job_script.ts";

/**
 * Readies the credentials of a job.
 *
 * @param kind In the script, or in a file.
 * @param token The channel's produce token.
 * @param channel The channel, which names the file.
 * @param folder The folder of the file; the state folder's `credentials` unless given.
 * @param files Where the file is written; this machine by default.
 * @param key The stream's key, where it is encrypted.
 * @returns What the job script has to hold; a file is to be removed at the end.
 */
export async function jobCredentials(
  kind: "script" | "file",
  token: string,
  channel: string,
  folder?: string,
  files: Pick<JobFiles, "writePrivate"> = localFiles,
  key?: string,
): Promise<JobCredentials> {
  if (kind === "script") return { kind, token, key };
  const text = `STREAMRELAY_TOKEN=${shellQuote(token)}\n` +
    (key === undefined ? "" : `STREAMRELAY_KEY=${shellQuote(key)}\n`);
  return { kind, path: await files.writePrivate(channel, text, folder) };
}
