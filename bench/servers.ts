/** What is measured, each in a process of its own. @module */
import { providePython } from "../tests/systems/python.ts";

/** Name of a server that can be measured. */
export type ServerName = "bare" | "v1" | "v2" | "sqlite" | "python";

/** What a lane has to know of a server. */
export interface Address {
  /** Which protocol its lanes speak. */
  face: "v1" | "v2";
  /** Where it listens. */
  url: string;
  /** Its secret; the bare bridge has none. */
  secret?: string;
}

/** A server that runs. */
export interface Server extends Address {
  /** Its name. */
  name: ServerName;
  /** What the table calls it: server, store, face. */
  label: string;
  /** Seconds of processor time its process has used; `NaN` where the system does not tell. */
  cpu(): number;
  /** Ends its process. */
  stop(): Promise<void>;
}

/** Why a server is not measured. */
export interface Absent {
  /** Its name. */
  name: ServerName;
  /** What the table calls it. */
  label: string;
  /** Why. */
  absent: string;
}

const SERVERS = {
  bare: { label: "bare bridge, no store", face: "v1" },
  v1: { label: "our relay, memory, v1", face: "v1" },
  v2: { label: "our relay, memory, v2", face: "v2" },
  sqlite: { label: "our relay, sqlite full, v2", face: "v2" },
  python: { label: "Python relay 0.3.1, v1", face: "v1" },
} as const;

/** The names of all servers, the bare bridge first. */
export const SERVER_NAMES = Object.keys(SERVERS) as ServerName[];

/**
 * Starts a server.
 *
 * @param name Which one.
 * @returns The server, or why there is none here.
 * @throws {Error} When ours or the bare bridge does not come up.
 */
export async function startServer(name: ServerName): Promise<Server | Absent> {
  const secret = name === "bare" ? undefined : crypto.randomUUID();
  const started = await start(name, secret);
  if (typeof started === "string") return { name, ...SERVERS[name], absent: started };
  return { name, ...SERVERS[name], secret, ...started };
}

type Started = Pick<Server, "url" | "cpu" | "stop">;

async function start(name: ServerName, secret: string | undefined): Promise<Started | string> {
  if (name === "python") return await startPython(secret!);
  if (name === "bare") return await startDeno("bare_bridge.ts", {});
  if (name !== "sqlite") return await startDeno("our_relay.ts", { BENCH_SECRET: secret! });
  const data = await Deno.makeTempDir({ prefix: "streamrelay-bench-" });
  const started = await startDeno("our_relay.ts", { BENCH_SECRET: secret!, BENCH_DATA: data });
  const stop = async () => {
    await started.stop();
    await Deno.remove(data, { recursive: true });
  };
  return { ...started, stop };
}

async function startDeno(file: string, env: Record<string, string>): Promise<Started> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", new URL(file, import.meta.url).pathname],
    env,
    stdin: "null",
    stdout: "piped",
  }).spawn();
  // both print their URL once they listen, and nothing else
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  const url = new TextDecoder().decode(value).trim();
  const stop = async () => {
    end(child);
    await reader.cancel();
    await child.status;
  };
  if (!url.startsWith("ws://")) {
    await stop();
    throw new Error(`${file} did not start: it printed ${JSON.stringify(url)}, expected its URL`);
  }
  return { url, cpu: () => cpuOf(child.pid), stop };
}

async function startPython(secret: string): Promise<Started | string> {
  const { env, reason } = await providePython();
  const python = env.STREAMRELAY_TEST_PYTHON;
  if (python === undefined) return reason ?? "no Python";
  const port = freePort();
  const child = new Deno.Command(python, {
    args: [new URL("python_relay.py", import.meta.url).pathname],
    env: { BENCH_SECRET: secret, BENCH_PORT: String(port) },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const stop = async () => {
    end(child);
    await child.status;
  };
  for (let tries = 0; tries < 200; tries++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return { url: `ws://127.0.0.1:${port}`, cpu: () => cpuOf(child.pid), stop };
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  await stop();
  return "its relay did not listen within 10 s";
}

function end(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // it has ended by itself
  }
}

function cpuOf(pid: number): number {
  try {
    // after the name in parentheses come state, …; user and system time are the 12th and 13th, in 1/100 s
    const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1].split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return NaN;
  }
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}
