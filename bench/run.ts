/**
 * `deno task bench`: throughput, added latency and replay of our relay, side by side with the bare bridge
 * and the Python relay, over loopback. Every server runs in its own process, the load comes from this
 * one. In each round of a measurement every server has its turn, each round beginning with another one.
 *
 *     deno task bench [--rounds 9] [--quick] [--only bare,v1,v2,sqlite,python]
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { measureEncryption } from "./encryption.ts";
import { PacedLoad } from "./paced_load.ts";
import { ProducerThread } from "./producer_thread.ts";
import { prepareReplay } from "./replay.ts";
import { type Measured, report, type Samples } from "./report.ts";
import { type Server, SERVER_NAMES, type ServerName, startServer } from "./servers.ts";
import { unpaced } from "./unpaced.ts";

/** The paced loads, the busiest first: it has the servers compile what the others use as well. */
const LOADS = [
  { name: "busy", lanes: 200, rate: 50 },
  { name: "calm", lanes: 50, rate: 50 },
  { name: "slow", lanes: 1, rate: 100 },
] as const;

/** Rounds of a paced load that are not counted: in them a server sorts out what 400 connections brought. */
const SETTLING_ROUNDS = 4;
const SETTLING_S = 1.5;

/** Seconds that each measurement takes. */
interface Lengths {
  unpaced: number;
  paced: number;
}

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
  const lengths = options.quick ? { unpaced: 0.4, paced: 0.5 } : { unpaced: 1, paced: 1.5 };
  // others' work shows in every figure: whoever reads them later must know
  const load = Deno.loadavg()[0].toFixed(2);
  console.log(`${navigator.hardwareConcurrency} cores, load before the run ${load}`);
  const measured: Measured[] = [];
  const thread = new ProducerThread();
  try {
    for (const name of names) {
      measured.push({ server: await startServer(name), samples: noSamples() });
    }
    await measureAll(measured, thread, rounds, lengths);
  } finally {
    thread.stop();
    for (const { server } of measured) if ("stop" in server) await server.stop();
  }
  console.log(report(measured, rounds));
  if (options.only === undefined) console.log(await measureEncryption(rounds));
  return 0;
}

type Present = Measured & { server: Server };

async function measureAll(
  measured: Measured[],
  thread: ProducerThread,
  rounds: number,
  lengths: Lengths,
): Promise<void> {
  const present = measured.filter((each): each is Present => "stop" in each.server);
  await warmUp(present, thread);
  // latency first: what a million records leave to clean up must not show in it
  for (const load of LOADS) await measureLatency(present, thread, rounds, load, lengths.paced);
  await measureThroughput(present, thread, rounds, lengths.unpaced);
}

/**
 * A server is measured as it is after a while: compiled, and with the memory it needs. That it sees messages
 * before it sees 400 connections at once matters as well: from what outlives them V8 concludes what of a
 * message will, and a wrong guess stays.
 */
async function warmUp(present: readonly Present[], thread: ProducerThread): Promise<void> {
  for (const { server } of present) {
    console.error(`warming up: ${server.label}`);
    for (let pass = 0; pass < 3; pass++) {
      await unpaced(server, thread, 1, 0.7);
      await unpaced(server, thread, 50, 0.7);
    }
  }
}

/** One value a round for each server, every round beginning with another one. */
async function interleaved(
  present: readonly Present[],
  rounds: number,
  what: string,
  measure: (each: Present) => Promise<void>,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    console.error(`${what}: round ${round + 1} of ${rounds}`);
    for (let at = 0; at < present.length; at++) {
      await measure(present[(at + round) % present.length]);
    }
  }
}

/**
 * The channels stay open over all rounds, and a turn is short: V8 throws away what it compiled for a relay
 * that has no client, and shrinks its heap after 8 s of rest.
 */
async function measureLatency(
  present: readonly Present[],
  thread: ProducerThread,
  rounds: number,
  load: typeof LOADS[number],
  seconds: number,
): Promise<void> {
  const what = `${load.lanes} × ${load.rate}/s`;
  const opened = new Map<Present, PacedLoad>();
  for (const each of present) opened.set(each, await PacedLoad.open(each.server, thread, load));
  await interleaved(present, SETTLING_ROUNDS, `${what}, not counted`, async (each) => {
    await opened.get(each)!.measure(SETTLING_S);
  });
  await interleaved(present, rounds, what, async (each) => {
    const { p50, p99, cpu } = await opened.get(each)!.measure(seconds);
    each.samples[`${load.name}P50`].push(p50);
    each.samples[`${load.name}P99`].push(p99);
    if (load.name === "busy") each.samples.busyCpu.push(cpu);
  });
  for (const paced of opened.values()) await paced.close();
}

async function measureThroughput(
  present: readonly Present[],
  thread: ProducerThread,
  rounds: number,
  seconds: number,
): Promise<void> {
  const replays = new Map<Present, () => Promise<number>>();
  for (const each of present) {
    // the others keep nothing that could be replayed whole
    if (each.server.face !== "v2") continue;
    const replay = await prepareReplay(each.server);
    await replay();
    replays.set(each, replay);
  }
  await interleaved(present, rounds, "unpaced", async (each) => {
    const { server, samples } = each;
    const one = await unpaced(server, thread, 1, seconds);
    samples.one.push(one.rate);
    samples.oneCpu.push(one.cpu);
    const fifty = await unpaced(server, thread, 50, seconds);
    samples.fifty.push(fifty.rate);
    samples.fiftyCpu.push(fifty.cpu);
    const replay = replays.get(each);
    if (replay) samples.replay.push(await replay());
  });
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
    busyCpu: [],
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
