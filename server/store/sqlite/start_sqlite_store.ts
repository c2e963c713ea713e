/**
 * Makes the folder ready, starts the thread, brings the schema up to date, takes up what is there.
 *
 * @module
 */
import { StreamError } from "../../../stream/mod.ts";
import type { Store } from "../store.ts";
import type { SqliteStoreOptions } from "./open_sqlite_store.ts";
import { prepareFolder } from "./prepare_folder.ts";
import { APPLICATION_ID, SCHEMA_VERSION, schemaSteps } from "./schema.ts";
import { SqliteStore } from "./sqlite_store.ts";
import { StoreThread } from "./store_thread.ts";
import type { OpenedFile } from "./thread_messages.ts";

/**
 * Opens a store; what `openSqliteStore` does once it has loaded this.
 *
 * @param options See there.
 * @returns The store.
 * @throws {StreamError} see there.
 */
export async function startSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { path, sync = "full", maxTotalBytes = 16 * 1024 ** 3, lockWait = 1000 } = options;
  const file = await prepareFolder(path);
  const thread = new StoreThread(path);
  try {
    const opened = await thread.ask<OpenedFile>({ ask: "open", file, sync, wait: lockWait });
    const sql = stepsFor(opened, path);
    if (sql) await thread.ask({ ask: "migrate", sql });
    return await SqliteStore.load({ thread, sync, maxTotalBytes });
  } catch (error) {
    await thread.close().catch(() => {});
    throw StreamError.from(error);
  }
}

function stepsFor({ version, application, objects }: OpenedFile, path: string): string {
  if (objects > 0 && application !== APPLICATION_ID) {
    throw new StreamError(
      "bad_request",
      `Cannot use the store in ${path}: its file belongs to another program, expected a store of this one`,
    );
  }
  const steps = schemaSteps(version);
  if (steps === undefined) {
    const how = version > SCHEMA_VERSION ? "a newer" : "too old a";
    throw new StreamError(
      "unsupported",
      `Cannot use the store in ${path}: ${how} version wrote it (schema ${version}), expected schema ${SCHEMA_VERSION}`,
    );
  }
  return steps;
}
