/** RabbitMQ, from Debian's packages, as a node of the runner's own. @module */
import { aptInstall } from "./apt_install.ts";
import { onPath } from "./on_path.ts";
import { freePort } from "./globus_free_port.ts";

/** Where Debian keeps the program itself; the one on the path wants to become another user. */
const SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server";

/** A running broker. */
export interface RabbitMq {
  /** Its address, with Rabbit's own guest, who is let in from loopback only. */
  url: string;
  /** Stops it, and removes its folder. */
  stop(): Promise<void>;
}

/**
 * Starts a broker on loopback.
 *
 * @returns The broker, ready.
 * @throws {Error} where there can be none, with the reason.
 */
export async function startRabbitMq(): Promise<RabbitMq> {
  const lack = await aptInstall(["rabbitmqctl", "epmd"], ["rabbitmq-server"]);
  if (lack) throw new Error(lack);
  const dir = await Deno.makeTempDir({ prefix: "streamrelay-rabbitmq-" });
  const [names, node, inner] = [freePort(), freePort(), freePort()];
  await Deno.writeTextFile(`${dir}/rabbitmq.conf`, `listeners.tcp.1 = 127.0.0.1:${node}\n`);
  await Deno.writeTextFile(`${dir}/plugins`, "[].\n");
  // without one of its own, the broker leaves a daemon behind
  const daemon = new Deno.Command(onPath("epmd")!, {
    args: ["-port", `${names}`, "-address", "127.0.0.1"],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const broker = new Deno.Command(SERVER, {
    stdin: "null",
    stdout: "piped",
    stderr: "null",
    env: {
      HOME: dir,
      ERL_EPMD_PORT: `${names}`,
      RABBITMQ_NODENAME: "streamrelay@localhost",
      RABBITMQ_DIST_PORT: `${inner}`,
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "-kernel inet_dist_use_interface {127,0,0,1}",
      RABBITMQ_MNESIA_BASE: `${dir}/mnesia`,
      RABBITMQ_LOG_BASE: `${dir}/log`,
      RABBITMQ_PID_FILE: `${dir}/pid`,
      RABBITMQ_CONFIG_FILE: `${dir}/rabbitmq.conf`,
      RABBITMQ_CONF_ENV_FILE: "/dev/null",
      RABBITMQ_ENABLED_PLUGINS_FILE: `${dir}/plugins`,
    },
  }).spawn();
  const stop = async () => {
    for (const child of [broker, daemon]) {
      try {
        child.kill("SIGTERM");
      } catch {
        // it has ended
      }
      await child.status;
    }
    await Deno.remove(dir, { recursive: true });
  };
  try {
    await started(broker.stdout);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `amqp://guest:guest@127.0.0.1:${node}/%2F`, stop };
}

/** Reads what the broker prints until it is up, and on to its end so that it never blocks. */
function started(output: ReadableStream<Uint8Array>): Promise<void> {
  return new Promise((resolve, reject) => {
    (async () => {
      let text = "";
      for await (const chunk of output.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        if (text.includes("Starting broker... completed")) resolve();
      }
      reject(new Error(`RabbitMQ did not start: ${text.trim().slice(-300)}`));
    })();
  });
}
