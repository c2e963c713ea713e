/**
 * Opens the store that survives the relay. Importing this loads neither SQLite nor the store: opening
 * does.
 *
 * @module
 */
import type { Store } from "../store.ts";

/** Options of {@linkcode openSqliteStore}. */
export interface SqliteStoreOptions {
  /** The folder it lies in; made, for this user alone, where there is none. One relay a folder. */
  path: string;
  /**
   * What a committed record survives: power loss (`full`), or the end of the process (`normal`), which
   * costs less on a slow disk.
   *
   * @default {"full"}
   */
  sync?: "full" | "normal";
  /**
   * Most bytes of records in all channels. Beyond it the channels that ended first go first; where none
   * can go, appends are refused with `overloaded` until one ends.
   *
   * @default {17_179_869_184} 16 GiB
   */
  maxTotalBytes?: number;
  /**
   * Milliseconds to wait for another relay that still holds the store, as one does that is just stopping.
   *
   * @default {1000}
   */
  lockWait?: number;
}

/**
 * Opens the sqlite store of a folder, or makes it.
 *
 * @param options Where, and how safe.
 * @returns The store. Close it: its thread keeps the process alive.
 * @throws {StreamError} `conflict` when another relay has it open; `unsupported` when a newer version
 *   wrote it, or the file system's locks can't keep a second relay out; `bad_request` when the folder
 *   or file can't be used or is not a store; `internal` when it is damaged; `overloaded` when the disk
 *   is full.
 * @example
 * ```ts
 * import { openSqliteStore } from "./open_sqlite_store.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const path = await Deno.makeTempDir();
 * const before = await openSqliteStore({ path });
 * await before.create({ id: "c", ttl: 60_000, retention: 60_000, maxBytes: 1024 });
 * await before.append("c", { origin: "relay" }, { n: 1, text: "{}" });
 * await before.close();
 *
 * const after = await openSqliteStore({ path });
 * assertEquals((await after.read("c", 0, 1024))[0].text, "{}");
 * await after.close();
 * await Deno.remove(path, { recursive: true });
 * ```
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { startSqliteStore } = await import("./start_sqlite_store.ts");
  return await startSqliteStore(options);
}
