/**
 * A relay for people who have none: one detached process a user and machine, found by a file of the
 * state folder, shared by that user's runs, gone when idle.
 *
 * This is the one module of `adapters/` that may load the server, and only in a process of its own.
 *
 * @module
 */
import { StreamError } from "../../stream/stream_error.ts";
import { cleanEnvironment } from "../clean_environment.ts";
import { stateFolder, statePath, stateSecret } from "../state_folder.ts";
import {
  findLocalRelay,
  type RelayRecord,
  removeRelayRecord,
  writeRelayRecord,
} from "./relay_record.ts";

/** Options of {@linkcode embeddedRelay}. */
export interface EmbeddedRelayOptions {
  /**
   * The address it listens on.
   *
   * @default `STREAMRELAY_EMBEDDED_HOST`, else what the executor finds that its nodes see.
   */
  host?: string;
  /** The network interface whose address that is, by name. */
  interface?: string;
  /**
   * Seconds after which it ends, without a connection or a channel under way.
   *
   * @default {600}
   */
  idleExit?: number;
  /**
   * Megabytes of memory its heap may take.
   *
   * @default {512}
   */
  maxHeap?: number;
  /**
   * Milliseconds it has to come up; at the first time it may have to download.
   *
   * @default {60_000}
   */
  startTimeout?: number;
  /**
   * With `relay: "via"`: deno ≥ 2 or node ≥ 22 on the login node, a path or a name.
   *
   * @default The first of `deno` and `node` that a login shell there finds.
   */
  runtime?: string;
}

interface ChildOptions {
  name: string;
  hostname: string;
  idleExit: number;
}

/**
 * This user's relay on this machine; it is started where none lives.
 *
 * @param options Where it listens, how long it stays.
 * @returns Its URL and secret.
 * @throws {StreamError} `unreachable` where it does not come up, with the end of its log.
 * @example
 * ```ts
 * import { embeddedRelay } from "./embedded_relay.ts";
 * import { assertEquals } from "@std/assert";
 *
 * Deno.env.set("STREAMRELAY_STATE", await Deno.makeTempDir());
 * const relay = await embeddedRelay({ idleExit: 60 });
 * assertEquals((await embeddedRelay()).url, relay.url);
 * Deno.kill(relay.pid);
 * ```
 */
export async function embeddedRelay(
  options: EmbeddedRelayOptions = {},
): Promise<RelayRecord> {
  const hostname = options.host ??
    Deno.env.get("STREAMRELAY_EMBEDDED_HOST") ?? "127.0.0.1";
  const name = `embedded-${Deno.hostname()}-${hostname.replace(/[^\w.]/g, "_")}`;
  const folder = await stateFolder("relays");
  const lock = await Deno.open(`${folder}/${name}.lock`, {
    create: true,
    write: true,
    mode: 0o600,
  });
  try {
    // two runs that start together share one relay; a file system without locks may give two
    await lock.lock(true).catch(() => {});
    return await findLocalRelay({ name }) ??
      await start({ name, hostname, idleExit: options.idleExit ?? 600 }, {
        log: `${folder}/${name}.log`,
        maxHeap: options.maxHeap ?? 512,
        startTimeout: options.startTimeout ?? 60_000,
      });
  } finally {
    lock.close();
  }
}

async function start(
  relay: ChildOptions,
  how: { log: string; maxHeap: number; startTimeout: number },
): Promise<RelayRecord> {
  if (Deno.build.standalone) {
    throw new StreamError(
      "unsupported",
      "Cannot start an embedded relay from a compiled program: expected `serve` to run already, or relay.url",
    );
  }
  await Deno.writeTextFile(how.log, "", { mode: 0o600 });
  const command = [
    Deno.execPath(),
    "run",
    "-A",
    "--quiet",
    `--v8-flags=--max-old-space-size=${how.maxHeap}`,
    import.meta.url,
    JSON.stringify(relay),
  ];
  const child = new Deno.Command("/bin/sh", {
    // only a shell can lead a process's output into a file that outlives this process
    args: ["-c", 'exec "$@" >>"$STREAMRELAY_LOG" 2>&1', "sh", ...command],
    clearEnv: true,
    env: {
      ...cleanEnvironment(),
      STREAMRELAY_STATE: statePath(),
      STREAMRELAY_LOG: how.log,
    },
    cwd: "/",
    stdin: "null",
    stdout: "null",
    stderr: "null",
    detached: true,
  }).spawn();
  child.unref();
  let ended: Deno.CommandStatus | undefined;
  child.status.then((status) => ended = status);
  const until = performance.now() + how.startTimeout;
  while (!ended && performance.now() < until) {
    const record = await findLocalRelay({ name: relay.name });
    if (record?.pid === child.pid) return record;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  if (!ended) child.kill();
  const log = (await Deno.readTextFile(how.log)).trim().slice(-1_000);
  throw new StreamError(
    "unreachable",
    `Cannot start the embedded relay: it ${
      ended ? `ended with exit code ${ended.code}` : "did not answer in time"
    }; its log ${how.log} ends with: ${log || "(nothing)"}`,
  );
}

/** What the detached process does. */
async function serve(options: ChildOptions): Promise<void> {
  const { serveRelay } = await import("../../server/mod.ts");
  const secret = await stateSecret();
  const relay = await serveRelay({
    hostname: options.hostname,
    port: 0,
    secret,
    idleExit: options.idleExit,
  });
  const close = () => relay.close();
  Deno.addSignalListener("SIGTERM", close);
  Deno.addSignalListener("SIGINT", close);
  await writeRelayRecord(options.name, {
    url: relay.url,
    secret,
    pid: Deno.pid,
    started: Date.now(),
    embedded: true,
  });
  await relay.finished;
  await removeRelayRecord(options.name, Deno.pid);
  Deno.exit(0);
}

if (import.meta.main) await serve(JSON.parse(Deno.args[0]));
