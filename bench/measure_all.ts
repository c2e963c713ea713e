/**
 * What the bench measures, in which order.
 *
 * @module
 */
import { latencyOf, type Slice } from "./latency.ts";
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

/** Turns at a paced load that are not counted: in them a server sorts out what 400 connections brought. */
const SETTLING_TURNS = 12;

/**
 * Seconds of a turn at a paced load. A round has several for each server, and its figures are of all of
 * them: a p99 of one long turn would tell whether the garbage collector came by just then. That they are
 * short keeps the servers awake: V8 shrinks the heap of one that rests for 8 s, and the processor's caches
 * forget it sooner.
 */
const TURN_S = 0.5;

/** How much is measured in each round. */
export interface Lengths {
  /** Seconds as fast as a server takes it. */
  unpaced: number;
  /** Turns of half a second at a steady pace. */
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

/** So many turns for each server, each time beginning with another one than the time before. */
async function interleaved(
  present: readonly Present[],
  times: number,
  turn: (each: Present) => Promise<void>,
  before = 0,
): Promise<void> {
  for (let time = before; time < before + times; time++) {
    for (let at = 0; at < present.length; at++) {
      await turn(present[(at + time) % present.length]);
    }
  }
}

/**
 * The channels stay open over all rounds: V8 throws away what it compiled for a relay that has no client.
 */
async function measureLatency(
  { present, thread, rounds, undisturbed }: How,
  load: typeof LOADS[number],
  turns: number,
): Promise<void> {
  const what = `${load.lanes} × ${load.rate}/s`;
  const opened = new Map<Present, PacedLoad>();
  for (const each of present) opened.set(each, await PacedLoad.open(each.server, thread, load));
  const turn = (each: Present) => opened.get(each)!.measure(TURN_S);
  await interleaved(present, SETTLING_TURNS, async (each) => {
    await turn(each);
  });
  for (let round = 0; round < rounds; round++) {
    console.error(`${what}: round ${round + 1} of ${rounds}`);
    const slices = new Map<Present, Slice[]>(present.map((each) => [each, []]));
    await interleaved(present, turns, async (each) => {
      slices.get(each)!.push(await undisturbed.turn(() => turn(each)));
    }, round * turns);
    for (const each of present) {
      const { p50, p99, cpu } = latencyOf(slices.get(each)!);
      note(each, { [`${load.name}P50`]: p50, [`${load.name}P99`]: p99 });
      if (load.name === "busy") note(each, { busyCpu: cpu });
    }
  }
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
  console.error("unpaced");
  await interleaved(present, rounds, async (each) => {
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
