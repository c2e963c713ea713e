/**
 * The load, the same for every server: token records of about 40 bytes, each made with `JSON.stringify`
 * and read with `JSON.parse`. Unpaced, the producers have a thread of their own; paced, both ends are in
 * this one.
 *
 * @module
 */
import { openConsumer, openLane } from "./lane.ts";
import type { ProducerThread } from "./producer_thread.ts";
import type { Server } from "./servers.ts";
import { percentile } from "./stats.ts";
import { tokenRecord } from "./token_record.ts";

/** Records under way at most, over all lanes and on one: what a server queues stays below its bounds. */
const UNDER_WAY = 65_536;
const UNDER_WAY_ON_ONE = 16_384;
/** A channel may hold 64 MiB; this many records stay well below. */
const MOST_RECORDS = 1_200_000;

/** Seconds of a paced load that are not counted: opening 400 connections is still being paid for in them. */
const SETTLING_S = 2;

/** How long a measurement may take in all. */
const PATIENCE_MS = 30_000;

/** How much crossed a server. */
export interface Throughput {
  /** Messages a second, over all channels. */
  rate: number;
  /** Microseconds of processor time that the server used for a message. */
  cpu: number;
}

/** How long messages took. */
export interface Latency {
  /** Milliseconds from before `JSON.stringify` to after `JSON.parse`, at the median. */
  p50: number;
  /** The same at the 99th percentile. */
  p99: number;
  /** Microseconds of processor time that the server used for a message. */
  cpu: number;
}

/**
 * Sends as fast as a server takes it, and counts what arrives.
 *
 * @param server The server.
 * @param producers Where the records are made.
 * @param lanes How many channels.
 * @param seconds How long.
 * @returns What arrived, and what it cost.
 */
export async function unpaced(
  server: Server,
  producers: ProducerThread,
  lanes: number,
  seconds: number,
): Promise<Throughput> {
  // each lane sends half of its share whenever half of it has arrived: nobody waits for a timer
  const burst = Math.floor(Math.min(UNDER_WAY / lanes, UNDER_WAY_ON_ONE) / 2);
  const channels = Array.from({ length: lanes }, () => crypto.randomUUID());
  let arrived = 0;
  let most = Infinity;
  let finished = () => {};
  const ended = new Promise<void>((resolve) => finished = resolve);
  const closes = await Promise.all(channels.map((channel, lane) => {
    let got = 0;
    return openConsumer(server, channel, (record) => {
      const { content } = JSON.parse(record);
      if (content !== `token ${1_000_000 + got}`) throw new Error(`Lost or doubled: ${record}`);
      got++;
      if (++arrived >= most || got >= MOST_RECORDS) finished();
      else if (got % burst === 0) producers.send(lane, burst);
    });
  }));
  await producers.open(server, channels);
  const cpu = server.cpu();
  const began = performance.now();
  const timer = setTimeout(() => most = arrived + 1, seconds * 1000);
  for (let lane = 0; lane < lanes; lane++) producers.send(lane, 2 * burst);
  await patiently(ended, server);
  const took = performance.now() - began;
  const used = server.cpu() - cpu;
  clearTimeout(timer);
  for (const close of closes) close();
  await producers.close();
  return { rate: arrived / took * 1000, cpu: used / arrived * 1e6 };
}

/**
 * Sends at a steady pace, one record a message, and measures how long each takes.
 *
 * @param server The server.
 * @param lanes How many channels.
 * @param rate Messages a second on each.
 * @param seconds How long.
 * @returns The latencies in milliseconds.
 */
export async function paced(
  server: Server,
  lanes: number,
  rate: number,
  seconds: number,
): Promise<Latency> {
  const latencies: number[] = [];
  const settling = Math.ceil(lanes * rate * SETTLING_S);
  const total = settling + lanes * rate * seconds;
  let arrived = 0;
  let cpu = 0;
  let finished = () => {};
  const ended = new Promise<void>((resolve) => finished = resolve);
  const received = (record: string) => {
    const late = performance.now() - Number(JSON.parse(record).content);
    if (++arrived > settling) latencies.push(late);
    else if (arrived === settling) cpu = server.cpu();
    if (arrived === total) finished();
  };
  const open = await Promise.all(Array.from({ length: lanes }, () => openLane(server, received)));
  const began = performance.now();
  for (let sent = 0; sent < total;) {
    // the lanes take turns, so that the load is even and not one burst every so often
    const due = Math.min(total, Math.ceil((performance.now() - began) / 1000 * lanes * rate));
    for (; sent < due; sent++) {
      open[sent % lanes].push(tokenRecord(performance.now().toFixed(6).padStart(16)));
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await patiently(ended, server);
  const used = server.cpu() - cpu;
  for (const lane of open) lane.close();
  return {
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    cpu: used / latencies.length * 1e6,
  };
}

/** A server that stopped passing messages on must not stop the bench. */
async function patiently(ended: Promise<void>, { label }: Server): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`${label}: not every message arrived within ${PATIENCE_MS / 1000} s`);
    timer = setTimeout(() => reject(error), PATIENCE_MS);
  });
  try {
    await Promise.race([ended, late]);
  } finally {
    clearTimeout(timer);
  }
}
