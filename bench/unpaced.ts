/**
 * Throughput: token records of about 40 bytes, each made with `JSON.stringify` and read with `JSON.parse`,
 * as fast as a server takes them.
 *
 * @module
 */
import { openConsumer } from "./lane.ts";
import { patiently } from "./patiently.ts";
import type { ProducerThread } from "./producer_thread.ts";
import type { Server } from "./servers.ts";

/** Records under way at most, over all lanes and on one: what a server queues stays below its bounds. */
const UNDER_WAY = 65_536;
const UNDER_WAY_ON_ONE = 16_384;
/** A channel may hold 64 MiB; this many records stay well below. */
const MOST_RECORDS = 1_200_000;

/** How much crossed a server. */
export interface Throughput {
  /** Messages a second, over all channels. */
  rate: number;
  /** Microseconds of processor time that the server used for a message. */
  cpu: number;
}

/**
 * Sends as fast as a server takes it, and counts what arrives.
 *
 * @param server The server.
 * @param thread Where the records are made.
 * @param lanes How many channels.
 * @param seconds How long.
 * @returns What arrived, and what it cost.
 */
export async function unpaced(
  server: Server,
  thread: ProducerThread,
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
  const producers = await thread.open(server, channels);
  const cpu = server.cpu();
  const began = performance.now();
  const timer = setTimeout(() => most = arrived + 1, seconds * 1000);
  for (let lane = 0; lane < lanes; lane++) producers.send(lane, 2 * burst);
  await patiently(ended, server.label);
  const took = performance.now() - began;
  const used = server.cpu() - cpu;
  clearTimeout(timer);
  for (const close of closes) close();
  await producers.close();
  return { rate: arrived / took * 1000, cpu: used / arrived * 1e6 };
}
