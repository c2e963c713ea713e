/**
 * The folder of a sqlite store.
 *
 * @module
 */
import { StreamError } from "../../../stream/mod.ts";
import { mountOf } from "./mount_of.ts";
import { unsafeMount } from "./unsafe_mount.ts";

/** Name of the database in its folder. */
const FILE = "streamrelay.db";

/**
 * Makes a folder, and an empty file in it, that only this user can read, unless they are there.
 *
 * @param path The folder.
 * @returns The file's path.
 * @throws {StreamError} `bad_request` when that is not possible, `unsupported` on a file system whose
 *   locks don't hold.
 */
export async function prepareFolder(path: string): Promise<string> {
  try {
    await Deno.mkdir(path, { recursive: true, mode: 0o700 });
    const folder = await Deno.realPath(path);
    await refuseUnsafe(folder);
    const file = `${folder}/${FILE}`;
    // made here, as SQLite gives a file the rights that everybody's files have
    await create(file);
    return file;
  } catch (error) {
    throw StreamError.from(error, "bad_request", `Cannot keep a store in ${path}: `);
  }
}

async function create(file: string): Promise<void> {
  try {
    const made = await Deno.open(file, { write: true, createNew: true, mode: 0o600 });
    made.close();
  } catch (error) {
    // Never opened and closed here when it exists: that would drop the lock of a store of this process.
    // https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    if (Deno.build.os !== "windows") await Deno.chmod(file, 0o600);
  }
}

async function refuseUnsafe(folder: string): Promise<void> {
  const mounts = await mountTable();
  // not Linux, or no leave to look: SQLite itself refuses where locks fail outright
  if (mounts === undefined) return;
  const mount = mountOf(folder, mounts);
  const why = mount && unsafeMount(mount);
  if (why) {
    throw new StreamError(
      "unsupported",
      `Cannot keep a store in ${folder}: ${why}, so two relays could write it at once; expected a folder on another file system`,
    );
  }
}

async function mountTable(): Promise<string | undefined> {
  const path = "/proc/self/mountinfo";
  // asked for only where that asks nobody
  const { state } = await Deno.permissions.query({ name: "read", path });
  if (state !== "granted") return undefined;
  return await Deno.readTextFile(path).catch(() => undefined);
}
