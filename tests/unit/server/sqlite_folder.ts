/** A folder for sqlite stores, for tests. @module */
import { openSqliteStore, type SqliteStoreOptions, type Store } from "../../../server/mod.ts";

/** A folder and the stores opened in it. */
export interface SqliteFolder extends AsyncDisposable {
  /** The folder. */
  path: string;
  /** Opens its store; a store that is open is closed first. */
  open(options?: Partial<SqliteStoreOptions>): Promise<Store>;
  /** Closes its store. */
  close(): Promise<void>;
}

/**
 * Makes a folder.
 *
 * @returns The folder; disposing of it closes the store and removes it.
 */
export async function sqliteFolder(): Promise<SqliteFolder> {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/store`;
  let store: Store | undefined;
  const close = async () => {
    await store?.close();
    store = undefined;
  };
  return {
    path,
    close,
    async open(options) {
      await close();
      return store = await openSqliteStore({ path, ...options });
    },
    async [Symbol.asyncDispose]() {
      await close();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

/** What channels of these tests are made as. */
export const SHAPE = { ttl: 60_000, retention: 60_000, maxBytes: 1_000_000 };
