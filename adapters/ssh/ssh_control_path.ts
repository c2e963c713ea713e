/**
 * Where the socket of a shared ssh connection lies.
 *
 * @module
 */
import { encodeHex } from "@std/encoding/hex";
import { StreamError } from "../../stream/stream_error.ts";
import { stateFolder } from "../state_folder.ts";

/** A unix socket's path has at most 104 bytes on some systems, and ssh adds 17 while it makes one. */
const LONGEST = 104 - 18;

/**
 * A path that all of this user's processes on this machine agree on, readable by this user alone. It
 * lies in the state folder, or, where that path is too long or has letters with a meaning to ssh, in a
 * folder of `/tmp`.
 *
 * @param words What tells the connection from others.
 * @returns The path.
 * @throws {StreamError} `forbidden` where somebody else holds the folder.
 */
export async function sshControlPath(words: readonly string[]): Promise<string> {
  const text = new TextEncoder().encode([Deno.hostname(), ...words].join("\0"));
  const name = encodeHex(await crypto.subtle.digest("SHA-256", text)).slice(0, 16);
  const path = `${await stateFolder("ssh")}/${name}`;
  if (path.length <= LONGEST && /^[\w./-]+$/.test(path)) return path;
  const folder = `/tmp/streamrelay-ssh-${Deno.uid()}`;
  try {
    await Deno.mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  const { isDirectory, uid, mode } = await Deno.lstat(folder);
  if (!isDirectory || uid !== Deno.uid() || ((mode ?? 0) & 0o077) !== 0) {
    throw new StreamError(
      "forbidden",
      `Cannot use ${folder} for ssh: it is not a folder of this user alone, expected mode 0700`,
    );
  }
  return `${folder}/${name}`;
}
