/**
 * The relays of this user that run on this machine, as files of the state folder.
 *
 * @module
 */
import { readPrivate, stateFolder, writePrivate } from "../state_folder.ts";

/** How a client finds a relay of the same user. */
export interface RelayRecord {
  /** `ws://` or `wss://` URL as seen from here. */
  url: string;
  /** The URL as seen from a compute node, where that is another. */
  jobUrl?: string;
  /** The relay's root secret. */
  secret: string;
  /** Its process. */
  pid: number;
  /** When it started, in milliseconds since 1970. */
  started: number;
  /** Whether an executor started it for itself. */
  embedded: boolean;
  /** The machine it runs on; a home folder may be shared by several. */
  host?: string;
}

const FOLDER = "relays";

/**
 * Leaves word of a relay, so that the same user's clients find it and its secret.
 *
 * @param name A file name: `embedded-…`, or the port.
 * @param record The relay.
 * @example
 * ```ts
 * import { findLocalRelay, writeRelayRecord } from "./relay_record.ts";
 * import { serveRelay } from "../../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * Deno.env.set("STREAMRELAY_STATE", await Deno.makeTempDir());
 * const secret = "a long random secret";
 * const relay = await serveRelay({ port: 0, secret });
 * await writeRelayRecord(String(relay.port), {
 *   url: relay.url,
 *   secret,
 *   pid: Deno.pid,
 *   started: Date.now(),
 *   embedded: false,
 * });
 * assertEquals((await findLocalRelay())?.url, relay.url);
 * await relay.close();
 * ```
 */
export async function writeRelayRecord(
  name: string,
  record: RelayRecord,
): Promise<void> {
  const path = `${await stateFolder(FOLDER)}/${name}.json`;
  const whole = { host: Deno.hostname(), ...record };
  await writePrivate(path, JSON.stringify(whole) + "\n");
}

/**
 * Takes the word of a relay back.
 *
 * @param name The name it was left under.
 * @param pid Only if it is this process's; another relay may have taken the name.
 * @example
 * ```ts
 * import { removeRelayRecord } from "./relay_record.ts";
 *
 * Deno.env.set("STREAMRELAY_STATE", await Deno.makeTempDir());
 * await removeRelayRecord("8765", Deno.pid);
 * ```
 */
export async function removeRelayRecord(
  name: string,
  pid?: number,
): Promise<void> {
  const path = `${await stateFolder(FOLDER)}/${name}.json`;
  if (pid !== undefined) {
    const record = await readPrivate(path);
    if (isRelayRecord(record) && record.pid !== pid) return;
  }
  await Deno.remove(path).catch(ignoreMissing);
}

/** What to look for. */
export interface FindRelayOptions {
  /** Its URL; any relay without one. */
  url?: string;
  /** Its record's name. */
  name?: string;
  /**
   * Milliseconds that a relay has for its answer.
   *
   * @default {2_000}
   */
  timeout?: number;
}

/**
 * A relay of this user that lives: one with `url`, or the one started last. Records of relays whose
 * process is gone are removed.
 *
 * @param options What to look for.
 * @returns The relay; `undefined` where there is none.
 * @example
 * ```ts
 * import { findLocalRelay } from "./relay_record.ts";
 * import { assertEquals } from "@std/assert";
 *
 * Deno.env.set("STREAMRELAY_STATE", await Deno.makeTempDir());
 * assertEquals(await findLocalRelay({ url: "ws://127.0.0.1:8765" }), undefined);
 * ```
 */
export async function findLocalRelay(
  options: FindRelayOptions = {},
): Promise<RelayRecord | undefined> {
  const folder = await stateFolder(FOLDER);
  const found: RelayRecord[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".json")) continue;
    if (options.name !== undefined && name !== `${options.name}.json`) continue;
    const record = await readPrivate(`${folder}/${name}`);
    if (!isRelayRecord(record)) continue;
    if (options.url && !sameRelay(options.url, record.url)) continue;
    const here = record.host === undefined || record.host === Deno.hostname();
    if (here && !processLives(record.pid)) {
      await Deno.remove(`${folder}/${name}`).catch(ignoreMissing);
    } else if (!here && isLoopback(record.url)) {
      continue;
    } else if (await isAlive(record.url, options.timeout ?? 2_000)) {
      found.push(record);
    }
  }
  return found.sort((a, b) => b.started - a.started)[0];
}

/**
 * Whether a relay answers at a URL.
 *
 * @param url `ws(s)://` or `http(s)://`.
 * @param timeout Milliseconds to wait.
 * @returns Whether its `/health` says that it is one.
 */
export async function isAlive(url: string, timeout: number): Promise<boolean> {
  try {
    const answer = await fetch(url.replace(/^ws/, "http") + "/health", {
      signal: AbortSignal.timeout(timeout),
    });
    const { status } = await answer.json();
    return status === "healthy";
  } catch {
    return false;
  }
}

/**
 * Whether a URL leads to the machine it is used on.
 *
 * @param url `ws(s)://` or `http(s)://`.
 * @returns Whether its host is a loopback one.
 * @example
 * ```ts
 * import { isLoopback } from "./relay_record.ts";
 * import { assert } from "@std/assert";
 *
 * assert(isLoopback("ws://127.0.0.1:8765"));
 * assert(!isLoopback("wss://relay.example.org"));
 * ```
 */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url.replace(/^ws/, "http"));
  return /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])$/.test(hostname);
}

function sameRelay(a: string, b: string): boolean {
  const plain = (url: string) =>
    url.replace(/^http/, "ws").replace(/\/+$/, "").replace(
      "//localhost",
      "//127.0.0.1",
    );
  return plain(a) === plain(b);
}

/**
 * Whether this user has such a process here. Without this check, whoever takes the port of a relay
 * that died would be handed its secret.
 */
function processLives(pid: number): boolean {
  if (Deno.build.os !== "linux") return true;
  try {
    return Deno.statSync(`/proc/${pid}`).uid === Deno.uid();
  } catch {
    return false;
  }
}

function isRelayRecord(value: unknown): value is RelayRecord {
  const record = value as Partial<RelayRecord> | undefined;
  return typeof record?.url === "string" &&
    typeof record.secret === "string" && typeof record.pid === "number";
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
