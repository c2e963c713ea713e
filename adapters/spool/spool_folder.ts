/**
 * The folder on a shared file system through which a job and its executor speak where no relay can be
 * reached: `1.spool`, `2.spool` … of the job's attempts, its `input`, and `cancel`.
 *
 * @module
 */
import { encodeBase64 } from "@std/encoding/base64";
import { StreamError } from "../../stream/stream_error.ts";
import type { CancelRequest } from "../../stream/v2_control.ts";
import type { ProgramRunner } from "../program_runner.ts";

/**
 * Makes the folder and prints its path. The files are there from the start: a network file system may
 * go on for a minute to say that a file isn't there.
 */
const MAKE = `umask 077
folder=\${1:-\${XDG_STATE_HOME:-$HOME/.local/state}/streamrelay/spool}/$2
mkdir -p -- "$folder" && chmod 700 -- "$folder" && cd -- "$folder" && : >1.spool && : >cancel &&
{ [ -z "$3" ] || cat >input; } && printf %s "$PWD"`;

const CANCEL = `cd -- "$1" && [ -e cancel ] && cat >cancel`;

/**
 * Refuses what can't be a folder, before anything is begun.
 *
 * @param folder The folder that spools are to be in.
 * @throws {StreamError} `bad_request` for control characters.
 */
export function checkSpoolFolder(folder = ""): void {
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  if (!/[\x00-\x1f]/.test(folder)) return;
  throw new StreamError(
    "bad_request",
    `Cannot use spoolFolder ${
      JSON.stringify(folder)
    }: it holds NUL or a control character, expected a path on a single line`,
  );
}

/** What a spool is made with. */
export interface MakeSpoolOptions {
  /** The folder to make it in, which all nodes see; `streamrelay/spool` in the user's state folder by default. */
  folder?: string;
  /** The input, sealed where the stream is encrypted. */
  input?: Uint8Array;
}

/**
 * Makes a spool, which only this user can read.
 *
 * @param programs Runs programs where the job is submitted.
 * @param channel The channel, which names it.
 * @param options Where, and with which input.
 * @returns Its absolute path.
 * @throws {StreamError} `submit_failed` where it can't be made.
 */
export async function makeSpool(
  programs: ProgramRunner,
  channel: string,
  { folder = "", input }: MakeSpoolOptions,
): Promise<string> {
  const { code, stdout, stderr } = await programs.run(
    "bash",
    ["-c", MAKE, "bash", folder, channel, input === undefined ? "" : "input"],
    { stdin: input === undefined ? "" : encodeBase64(input) },
  );
  if (code === 0) return stdout;
  throw new StreamError(
    "submit_failed",
    `Cannot make the job's spool${programs.place ? ` on ${programs.place}` : ""}: ${
      stderr || `exit code ${code}`
    }`,
  );
}

/**
 * Leaves word in a spool that the job shall stop. One that is gone needs none.
 *
 * @param programs Runs programs where the spool is.
 * @param folder The spool.
 * @param request Who wants it, and why.
 */
export async function cancelSpool(
  programs: ProgramRunner,
  folder: string,
  { by = "consumer", reason }: Partial<CancelRequest>,
): Promise<void> {
  // the bash producer reads it by a pattern: `by` comes first
  const text = JSON.stringify({ by, ...(reason !== undefined && { reason }) });
  await programs.run("bash", ["-c", CANCEL, "bash", folder], { stdin: text });
}
