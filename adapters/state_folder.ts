/**
 * Where a user's secret, relays and jobs are remembered, readable by that user alone.
 *
 * @module
 */
import { encodeHex } from "@std/encoding/hex";
import { StreamError } from "../stream/stream_error.ts";

/**
 * The folder: `$STREAMRELAY_STATE`, else `$XDG_STATE_HOME/streamrelay`, else
 * `~/.local/state/streamrelay`.
 *
 * @returns Its path; it may not exist yet.
 * @throws {StreamError} `bad_request` where none of the three can be told.
 * @example
 * ```ts
 * import { statePath } from "./state_folder.ts";
 * import { assertEquals } from "@std/assert";
 *
 * Deno.env.set("STREAMRELAY_STATE", await Deno.makeTempDir());
 * assertEquals(statePath(), Deno.env.get("STREAMRELAY_STATE"));
 * ```
 */
export function statePath(): string {
  const own = Deno.env.get("STREAMRELAY_STATE");
  if (own) return own;
  const xdg = Deno.env.get("XDG_STATE_HOME");
  if (xdg) return `${xdg}/streamrelay`;
  const home = Deno.env.get("HOME");
  if (home) return `${home}/.local/state/streamrelay`;
  throw new StreamError(
    "bad_request",
    "Cannot find the state folder: neither STREAMRELAY_STATE, XDG_STATE_HOME nor HOME is set, expected one of them",
  );
}

/**
 * Makes a folder in the state folder, mode 0700.
 *
 * @param name Its name; without one, the state folder itself.
 * @returns Its path.
 * @example
 * ```ts
 * import { stateFolder } from "./state_folder.ts";
 * import { assertEquals } from "@std/assert";
 *
 * Deno.env.set("STREAMRELAY_STATE", await Deno.makeTempDir());
 * const { mode } = await Deno.stat(await stateFolder("jobs"));
 * assertEquals(mode! & 0o777, 0o700);
 * ```
 */
export async function stateFolder(name?: string): Promise<string> {
  const root = statePath();
  await Deno.mkdir(root, { recursive: true, mode: 0o700 });
  if (name === undefined) return root;
  const path = `${root}/${name}`;
  await Deno.mkdir(path, { recursive: true, mode: 0o700 });
  return path;
}

/**
 * Writes a file that only this user can read, all of it or nothing.
 *
 * @param path Its path.
 * @param text What it shall hold.
 */
export async function writePrivate(path: string, text: string): Promise<void> {
  const draft = `${path}.${crypto.randomUUID()}`;
  try {
    await Deno.writeTextFile(draft, text, { mode: 0o600, createNew: true });
    await Deno.rename(draft, path);
  } catch (error) {
    await Deno.remove(draft).catch(() => {});
    throw error;
  }
}

/**
 * A file of the state folder as JSON.
 *
 * @param path Its path.
 * @returns What it holds; `undefined` where there is none, or it is torn.
 */
export async function readPrivate(path: string): Promise<unknown> {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) {
      return undefined;
    }
    throw error;
  }
}

/**
 * This user's root secret for relays of their own: 256 random bits, made at the first use and kept
 * in `secret`, mode 0600.
 *
 * @returns The secret.
 * @example
 * ```ts
 * import { stateSecret } from "./state_folder.ts";
 * import { assertEquals } from "@std/assert";
 *
 * Deno.env.set("STREAMRELAY_STATE", await Deno.makeTempDir());
 * assertEquals(await stateSecret(), await stateSecret());
 * ```
 */
export async function stateSecret(): Promise<string> {
  const path = `${await stateFolder()}/secret`;
  const read = async () => (await Deno.readTextFile(path)).trim();
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const draft = `${path}.${crypto.randomUUID()}`;
  const secret = encodeHex(crypto.getRandomValues(new Uint8Array(32)));
  await Deno.writeTextFile(draft, secret + "\n", { mode: 0o600 });
  try {
    // a link fails where another process was faster; then its secret is the one
    await Deno.link(draft, path);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  } finally {
    await Deno.remove(draft);
  }
  return await read();
}
