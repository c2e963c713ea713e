/**
 * Globus Compute: the real endpoint from PyPI behind the real RabbitMQ, and a stand-in of the web service
 * before them, which can't be had.
 *
 * @module
 */
import { aptInstall } from "./apt_install.ts";
import { cached } from "./cached.ts";
import { type Provided, skipped } from "./provided.ts";
import { startRabbitMq } from "./globus_rabbitmq.ts";
import { venv } from "./globus_venv.ts";

/** The endpoint, the stand-in's parts, and what a function in Python streams with. */
const PINNED = [
  "globus-compute-endpoint==4.15.0",
  "pika==1.3.2",
  "flask==3.1.3",
  "streamrelay==0.3.1",
];

/** How long the endpoint has to come up, in milliseconds. */
const PATIENCE = 120_000;

/**
 * Starts an endpoint with two workers.
 *
 * @returns `STREAMRELAY_TEST_GLOBUS`: JSON with `url`, `endpoint`, `token`, `clientId`, `clientSecret`.
 */
export async function provideGlobus(): Promise<Provided> {
  const lack = await aptInstall(["python3"], ["python3", "python3-venv"]);
  if (lack) return skipped("globus", lack);
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const one of stops.splice(0).toReversed()) await one();
  };
  try {
    const dir = await cached("globus", PINNED.join(" "), (dir) => venv(dir, PINNED));
    const broker = await startRabbitMq();
    stops.push(broker.stop);
    const service = await startService(`${dir}/bin/python`, broker.url);
    stops.push(service.stop);
    return {
      name: "globus",
      kind: "real",
      reason: `${PINNED[0]} behind RabbitMQ; the web service is a stand-in`,
      env: { STREAMRELAY_TEST_GLOBUS: JSON.stringify(service.known) },
      stop,
    };
  } catch (error) {
    await stop();
    return skipped("globus", error);
  }
}

async function startService(python: string, amqp: string) {
  const dir = await Deno.makeTempDir({ prefix: "streamrelay-globus-" });
  const client = { clientId: crypto.randomUUID(), clientSecret: crypto.randomUUID() };
  const child = new Deno.Command(python, {
    args: [new URL("globus/service.py", import.meta.url).pathname],
    env: {
      TEST_AMQP: amqp,
      TEST_FOLDER: dir,
      TEST_CLIENT_ID: client.clientId,
      TEST_CLIENT_SECRET: client.clientSecret,
    },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const stop = async () => {
    await child.stdin.close();
    await child.status;
    await endWorkers(dir);
    await Deno.remove(dir, { recursive: true });
  };
  const line = await firstLine(child.stdout, PATIENCE);
  if (line === "") {
    const log = await Deno.readTextFile(`${dir}/endpoint.log`).catch(() => "it printed nothing");
    await stop();
    throw new Error(`The endpoint did not start: ${log.trim().slice(-300)}`);
  }
  const { port, ...about } = JSON.parse(line);
  return { known: { url: `http://127.0.0.1:${port}`, ...about, ...client }, stop };
}

/**
 * The endpoint's workers leave its session; they are told apart by their folder, which is in their
 * arguments or, with what Python's `multiprocessing` starts, in their environment.
 */
async function endWorkers(dir: string): Promise<void> {
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const about = await Promise.all(
      ["cmdline", "environ"].map((file) =>
        Deno.readTextFile(`/proc/${name}/${file}`).catch(() => "") // it has ended, or hides it
      ),
    );
    try {
      if (about.some((text) => text.includes(dir))) Deno.kill(Number(name), "SIGKILL");
    } catch {
      // it has ended
    }
  }
}

async function firstLine(output: ReadableStream<Uint8Array>, patience: number): Promise<string> {
  const reader = output.pipeThrough(new TextDecoderStream()).getReader();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<string>((resolve) => timer = setTimeout(() => resolve(""), patience));
  const read = async () => {
    let text = "";
    while (!text.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) return "";
      text += value;
    }
    return text.split("\n")[0];
  };
  try {
    return await Promise.race([read(), late]);
  } finally {
    clearTimeout(timer);
    reader.releaseLock();
  }
}
