/** What others may see of a job must hold no secret of it. @module */
import { assert } from "@std/assert";
import { runCommand } from "./run_command.ts";

/** The prompt of jobs whose secrets are looked for. */
export const PROMPT = "the-prompt-that-nobody-else-may-see";

/** A channel's token, wherever it stands. */
const TOKEN = /eyJ[\w-]+\.[\w-]+\.[\w-]+/;

/**
 * The secrets in a job script, or in a job's credentials file.
 *
 * @param text The text.
 * @returns The channel's token, and the stream's key.
 */
export function secretsIn(text: string): string[] {
  const token = TOKEN.exec(text)?.[0];
  const key = /(?:STREAMRELAY_|sr_)KEY='?([\w+/=-]+)/i.exec(text)?.[1];
  assert(token && key, "the job has a token and a key");
  return [token, key];
}

/**
 * Looks at what commands print, and fails if a secret stands there.
 *
 * @param commands What somebody could type to see something of a job.
 * @param hidden What must not be seen.
 * @param shown Something that a command has to show: proof that it looks at the right thing.
 */
export async function assertUnseen(
  commands: readonly (readonly string[])[],
  hidden: readonly string[],
  shown: string,
): Promise<void> {
  let found = false;
  for (const command of commands) {
    const { stdout, stderr } = await runCommand([...command]);
    const text = stdout + stderr;
    found ||= text.includes(shown);
    for (const secret of hidden) assert(!text.includes(secret), `${command} shows ${secret}`);
  }
  assert(found, `${shown} is shown by none of ${commands.join("; ")}`);
}
