/**
 * What went wrong with ssh, in its own words: its exit code 255 says nothing by itself, for a program
 * on the other side may end with it too.
 *
 * @module
 */
import { StreamError } from "../../stream/stream_error.ts";

const REFUSED = /permission denied|too many authentication failures|host key verification failed/i;

/** What is known besides. */
export interface SshFailureOptions {
  /** Whether somebody at the terminal was asked. */
  asked?: boolean;
  /** What a person can type to log in. */
  command?: string;
}

/**
 * Makes an error of what ssh said.
 *
 * @param host The host.
 * @param words What ssh wrote to standard error.
 * @param options What is known besides.
 * @returns `unauthorized` where the login was refused, else `unreachable`.
 * @example
 * ```ts
 * import { sshFailure } from "./ssh_failure.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(sshFailure("login1", "me@login1: Permission denied (publickey).").code, "unauthorized");
 * ```
 */
export function sshFailure(
  host: string,
  words: string,
  options: SshFailureOptions = {},
): StreamError {
  const said = words.split("\n").map((line) => line.trim()).filter(Boolean).slice(-3).join("; ");
  const { asked, command } = options;
  const refused = REFUSED.test(words);
  const hint = refused && !asked && command !== undefined
    ? `; nobody could be asked, expected a key, an agent, or a connection opened before: ${command}`
    : "";
  return new StreamError(
    refused ? "unauthorized" : "unreachable",
    `Cannot reach ${host} by ssh: ${
      said || (asked ? "its words are above" : "it gave no reason")
    }${hint}`,
    { details: { stderr: words } },
  );
}
