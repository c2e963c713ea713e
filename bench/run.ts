/**
 * `deno task bench`: throughput, added latency and replay of our relay, side by side with the bare bridge
 * and the Python relay, over loopback. Every server runs in its own process, the load comes from this
 * one. In each round of a measurement every server has its turns, one after the other.
 *
 *     deno task bench [--rounds 9] [--quick] [--only bare,v1,v2,sqlite,python]
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { measureEncryption } from "./encryption.ts";
import { measureAll } from "./measure_all.ts";
import { ProducerThread } from "./producer_thread.ts";
import { type Measured, noSamples, report } from "./report.ts";
import { SERVER_NAMES, type ServerName, startServer } from "./servers.ts";

async function main(args: string[]): Promise<number> {
  const options = parseArgs(args, { string: ["rounds", "only"], boolean: ["quick"] });
  const rounds = Number(options.rounds ?? (options.quick ? 2 : 9));
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 50) {
    console.error(`Cannot run ${options.rounds} rounds: expected a whole number from 1 to 50`);
    return 2;
  }
  const names = chosen(options.only);
  if (names === undefined) {
    console.error(`Cannot measure "${options.only}": expected some of ${SERVER_NAMES.join(",")}`);
    return 2;
  }
  const lengths = options.quick ? { unpaced: 0.4, paced: 1 } : { unpaced: 1, paced: 6 };
  // others' work shows in every figure: whoever reads them later must know
  const load = Deno.loadavg()[0].toFixed(2);
  console.log(`${navigator.hardwareConcurrency} cores, load before the run ${load}`);
  const measured: Measured[] = [];
  const thread = new ProducerThread();
  try {
    for (const name of names) {
      measured.push({ server: await startServer(name), samples: noSamples() });
    }
    const { repeated, disturbed } = await measureAll(measured, thread, rounds, lengths);
    console.log(
      `Measured again because the host took processor time from this machine meanwhile: ${repeated} times; ` +
        `${disturbed} turns count although it did`,
    );
  } finally {
    thread.stop();
    for (const { server } of measured) if ("stop" in server) await server.stop();
  }
  console.log(report(measured, rounds));
  if (options.only === undefined) console.log(await measureEncryption(rounds));
  return 0;
}

function chosen(only: string | undefined): ServerName[] | undefined {
  if (only === undefined) return SERVER_NAMES;
  const wanted = only.split(",");
  const names = SERVER_NAMES.filter((name) => wanted.includes(name));
  return names.length === wanted.length ? names : undefined;
}

Deno.exit(await main(Deno.args));
