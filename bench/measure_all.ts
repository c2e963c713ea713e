/**
 * What the bench measures, in which order.
 *
 * @module
 */
import { PacedLoad } from "./paced_load.ts";
import type { ProducerThread } from "./producer_thread.ts";
import { prepareReplay } from "./replay.ts";
import type { FigureKey, Measured } from "./report.ts";
import type { Server } from "./servers.ts";
import { Undisturbed } from "./undisturbed.ts";
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
export interface Lengths {
  /** As fast as a server takes it. */
  unpaced: number;
  /** At a steady pace. */
  paced: number;
}

type Present = Measured & { server: Server };

interface How {
  present: readonly Present[];
  thread: ProducerThread;
  rounds: number;
  undisturbed: Undisturbed;
}

/**
 * Measures all that runs, latency before throughput, and notes it in the samples.
 *
 * @param measured The servers, running or absent.
 * @param thread Where the records are made.
 * @param rounds How many values each figure gets.
 * @param lengths How long each takes.
 * @returns What was measured again, and why.
 */
export async function measureAll(
  measured: Measured[],
  thread: ProducerThread,
  rounds: number,
  lengths: Lengths,
): Promise<Undisturbed> {
  const undisturbed = new Undisturbed();
  const present = measured.filter((each): each is Present => "stop" in each.server);
  await warmUp(present, thread);
  const how = { present, thread, rounds, undisturbed };
  // latency first: what a million records leave to clean up must not show in it
  for (const load of LOADS) await measureLatency(how, load, lengths.paced);
  await measureThroughput(how, lengths.unpaced);
  return undisturbed;
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

/** A turn a round for each server, every round beginning with another one. */
async function interleaved(
  present: readonly Present[],
  rounds: number,
  what: string,
  turn: (each: Present) => Promise<void>,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    console.error(`${what}: round ${round + 1} of ${rounds}`);
    for (let at = 0; at < present.length; at++) {
      await turn(present[(at + round) % present.length]);
    }
  }
}

/**
 * The channels stay open over all rounds, and a turn is short: V8 throws away what it compiled for a relay
 * that has no client, and shrinks its heap after 8 s of rest.
 */
async function measureLatency(
  { present, thread, rounds, undisturbed }: How,
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
    const { p50, p99, cpu } = await undisturbed.turn(() => opened.get(each)!.measure(seconds));
    note(each, { [`${load.name}P50`]: p50, [`${load.name}P99`]: p99 });
    if (load.name === "busy") note(each, { busyCpu: cpu });
  });
  for (const paced of opened.values()) await paced.close();
}

async function measureThroughput(
  { present, thread, rounds, undisturbed }: How,
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
    const flood = (lanes: number) =>
      undisturbed.turn(() => unpaced(each.server, thread, lanes, seconds));
    const one = await flood(1);
    const fifty = await flood(50);
    note(each, { one: one.rate, oneCpu: one.cpu, fifty: fifty.rate, fiftyCpu: fifty.cpu });
    const replay = replays.get(each);
    if (replay) note(each, { replay: await undisturbed.turn(replay) });
  });
}

function note({ samples }: Present, values: Partial<Record<FigureKey, number>>): void {
  for (const [key, value] of Object.entries(values)) samples[key as FigureKey].push(value);
}
