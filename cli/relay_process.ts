/**
 * The relay that an executor starts on a login node over ssh: the executor makes one file of it, for Deno
 * or Node ≥ 22 there. What it shall do is the first line of its standard input, so that its secret is in
 * no argument list; when that input ends, the relay does.
 *
 * @module
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { nodeFacingAddress } from "../adapters/relay/node_facing_address.ts";
import { type Relay, serveRelay } from "../server/serve_relay.ts";
import { wsTransport } from "../server/transport/ws_transport.ts";

const lines = createInterface({ input: process.stdin });
const ended = new Promise<void>((resolve) => lines.once("close", resolve));

async function start(line: string): Promise<Relay> {
  const { mark, secret, idleExit, host, nodes, interfaceName } = JSON.parse(line);
  const hostname = host ?? await nodeFacingAddress(nodes, interfaceName);
  const relay = await serveRelay({ hostname, port: 0, secret, idleExit, transport: wsTransport });
  console.log(`${mark} relay ${hostname} ${relay.port}`);
  return relay;
}

lines.once("line", async (line: string) => {
  try {
    const relay = await start(line);
    ended.then(() => relay.close());
    await relay.finished;
    process.exit(0);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
});
ended.then(() => setTimeout(() => process.exit(1), 10_000).unref?.());
