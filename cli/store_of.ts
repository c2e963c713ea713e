/**
 * Where `serve` keeps its channels: the flags that say so, and the store they mean.
 *
 * @module
 */
import { statePath } from "../adapters/state_folder.ts";
import { openSqliteStore, type Store } from "../server/mod.ts";
import { StreamError } from "../stream/mod.ts";
import type { Flag } from "./command.ts";
import type { Given } from "./given.ts";
import { UsageError } from "./usage_error.ts";

/** The flags. */
export const storeFlags: Flag[] = [
  {
    name: "store",
    value: "NAME",
    help: "Where channels are kept: sqlite (default) or memory, until the relay ends",
    env: ["STREAMRELAY_STORE"],
  },
  {
    name: "data",
    value: "DIR",
    help: "Folder of the sqlite store; store in the state folder by default",
    env: ["STREAMRELAY_DATA"],
  },
  {
    name: "sync",
    value: "MODE",
    help: "What is acknowledged survives a power loss (full, default) or kill -9 (normal)",
    env: ["STREAMRELAY_SYNC"],
  },
  {
    name: "max-total",
    value: "SIZE",
    help: "Most bytes of records in all channels of a sqlite store; 16G by default",
    env: ["STREAMRELAY_MAX_TOTAL"],
  },
];

/**
 * The store that the flags mean.
 *
 * @param given What was typed.
 * @returns The store, open; `undefined` for the relay's own memory.
 * @throws {UsageError} When they don't go together.
 * @throws {StreamError} When the folder or what lies in it can't be used; see `openSqliteStore`.
 */
export async function storeOf(given: Given): Promise<Store | undefined> {
  const sync = given.choice("sync", ["full", "normal"]);
  const maxTotalBytes = given.bytes("max-total");
  if (given.choice("store", ["sqlite", "memory"]) === "memory") {
    if (given.typed("data") || given.typed("sync") || given.typed("max-total")) {
      throw new UsageError(
        "Cannot keep channels in memory with --data, --sync or --max-total: expected --store sqlite",
      );
    }
    return undefined;
  }
  const path = given.text("data") ?? `${statePath()}/${folderName(given)}`;
  try {
    return await openSqliteStore({ path, sync, maxTotalBytes });
  } catch (error) {
    if (!(error instanceof StreamError) || error.code !== "conflict") throw error;
    throw new StreamError("conflict", `${error.message}: see --data and --store memory`, {
      cause: error,
    });
  }
}

/** A relay that asks nobody for a credential must not open what another one kept behind its secret. */
function folderName(given: Given): string {
  return given.on("insecure") ? "store-insecure" : "store";
}
