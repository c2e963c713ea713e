/**
 * `deno task bench`: throughput, added latency and replay of our relay, side by side with the bare bridge
 * and the Python relay, over loopback. Every server runs in its own process, the load comes from this
 * one. In each round every server is measured once, each round beginning with another one.
 *
 *     deno task bench [--rounds 5] [--quick] [--only bare,v1,v2,sqlite,python]
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { measureEncryption } from "./encryption.ts";
import { paced, unpaced } from "./generator.ts";
import { ProducerThread } from "./producer_thread.ts";
import { prepareReplay } from "./replay.ts";
import { type Measured, report, type Samples } from "./report.ts";
import { type Server, SERVER_NAMES, type ServerName, startServer } from "./servers.ts";

/** Seconds that each measurement takes. */
interface Lengths {
  unpaced: number;
  slow: number;
  calm: number;
  busy: number;
}

async function main(args: string[]): Promise<number> {
  const options = parseArgs(args, { string: ["rounds", "only"], boolean: ["quick"] });
  const rounds = Number(options.rounds ?? (options.quick ? 2 : 5));
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 50) {
    console.error(`Cannot run ${options.rounds} rounds: expected a whole number from 1 to 50`);
    return 2;
  }
  const names = chosen(options.only);
  if (names === undefined) {
    console.error(`Cannot measure "${options.only}": expected some of ${SERVER_NAMES.join(",")}`);
    return 2;
  }
  const lengths = options.quick
    ? { unpaced: 0.4, slow: 1, calm: 1, busy: 0.5 }
    : { unpaced: 1, slow: 2, calm: 2, busy: 3 };
  // others' work shows in every figure: whoever reads them later must know
  const load = Deno.loadavg()[0].toFixed(2);
  console.log(`${navigator.hardwareConcurrency} cores, load before the run ${load}`);
  const measured: Measured[] = [];
  const producers = new ProducerThread();
  try {
    for (const name of names) {
      measured.push({ server: await startServer(name), samples: noSamples() });
    }
    await measureAll(measured, producers, rounds, lengths);
  } finally {
    producers.stop();
    for (const { server } of measured) if ("stop" in server) await server.stop();
  }
  console.log(report(measured, rounds));
  if (options.only === undefined) console.log(await measureEncryption(rounds));
  return 0;
}

async function measureAll(
  measured: Measured[],
  producers: ProducerThread,
  rounds: number,
  lengths: Lengths,
): Promise<void> {
  const present = measured.filter((each): each is Measured & { server: Server } =>
    "stop" in each.server
  );
  const replays = new Map<Server, () => Promise<number>>();
  for (const { server } of present) {
    console.error(`warming up: ${server.label}`);
    // a server is measured as it is after a while: compiled, and with the memory it needs
    for (let pass = 0; pass < 3; pass++) {
      await unpaced(server, producers, 1, 0.7);
      await unpaced(server, producers, 50, 0.7);
    }
    // the others keep nothing that could be replayed whole
    if (server.face !== "v2") continue;
    const replay = await prepareReplay(server);
    await replay();
    replays.set(server, replay);
  }
  for (let round = 0; round < rounds; round++) {
    for (let at = 0; at < present.length; at++) {
      const { server, samples } = present[(at + round) % present.length];
      console.error(`round ${round + 1} of ${rounds}: ${server.label}`);
      // latency first: what a million records leave to clean up must not show in it
      const slow = await paced(server, 1, 100, lengths.slow);
      samples.slowP50.push(slow.p50);
      samples.slowP99.push(slow.p99);
      const calm = await paced(server, 50, 50, lengths.calm);
      samples.calmP50.push(calm.p50);
      samples.calmP99.push(calm.p99);
      const busy = await paced(server, 200, 50, lengths.busy);
      samples.busyP50.push(busy.p50);
      samples.busyP99.push(busy.p99);
      const one = await unpaced(server, producers, 1, lengths.unpaced);
      samples.one.push(one.rate);
      samples.oneCpu.push(one.cpu);
      const fifty = await unpaced(server, producers, 50, lengths.unpaced);
      samples.fifty.push(fifty.rate);
      samples.fiftyCpu.push(fifty.cpu);
      const replay = replays.get(server);
      if (replay) samples.replay.push(await replay());
    }
  }
}

function noSamples(): Samples {
  return {
    one: [],
    fifty: [],
    oneCpu: [],
    fiftyCpu: [],
    slowP50: [],
    slowP99: [],
    calmP50: [],
    calmP99: [],
    busyP50: [],
    busyP99: [],
    replay: [],
  };
}

function chosen(only: string | undefined): ServerName[] | undefined {
  if (only === undefined) return SERVER_NAMES;
  const wanted = only.split(",");
  const names = SERVER_NAMES.filter((name) => wanted.includes(name));
  return names.length === wanted.length ? names : undefined;
}

Deno.exit(await main(Deno.args));
