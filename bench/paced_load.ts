/**
 * Latency: records at a steady pace, evenly spread over the channels and over time.
 *
 * @module
 */
import { clock } from "./clock.ts";
import { openConsumer } from "./lane.ts";
import type { Slice } from "./latency.ts";
import { patiently } from "./patiently.ts";
import type { Producers, ProducerThread } from "./producer_thread.ts";
import type { Server } from "./servers.ts";

/** Records that cross each lane before: TCP holds an early small packet back for 40 ms, whatever the server. */
const PROBES = 3;

/** How much is sent. */
export interface Load {
  /** How many channels. */
  lanes: number;
  /** Messages a second on each, one record a message. */
  rate: number;
}

/** The channels of a load on one server, open until they are closed. */
export class PacedLoad {
  #server: Server;
  #load: Load;
  #producers!: Producers;
  #closes: (() => void)[] = [];
  #received = (_record: string) => {};

  private constructor(server: Server, load: Load) {
    this.#server = server;
    this.#load = load;
  }

  /**
   * Opens the channels and tries each.
   *
   * @param server The server.
   * @param thread Where the records are made.
   * @param load How much is to be sent.
   * @returns The load; nothing is sent yet.
   */
  static async open(server: Server, thread: ProducerThread, load: Load): Promise<PacedLoad> {
    const paced = new PacedLoad(server, load);
    const channels = Array.from({ length: load.lanes }, () => crypto.randomUUID());
    const received = (record: string) => paced.#received(record);
    paced.#closes = await Promise.all(
      channels.map((channel) => openConsumer(server, channel, received)),
    );
    paced.#producers = await thread.open(server, channels);
    for (let probe = 0; probe < PROBES; probe++) {
      let left = load.lanes;
      const crossed = new Promise<void>((resolve) => {
        paced.#received = () => --left === 0 && resolve();
      });
      for (let lane = 0; lane < load.lanes; lane++) paced.#producers.send(lane, 1);
      await patiently(crossed, server.label);
    }
    return paced;
  }

  /**
   * Sends for a while, and measures how long each message takes.
   *
   * @param seconds How long.
   * @returns What it showed.
   */
  async measure(seconds: number): Promise<Slice> {
    const rate = this.#load.lanes * this.#load.rate;
    // made beforehand: an array that grows would keep this thread's garbage collector busy
    const latencies = new Float64Array(rate * seconds);
    let arrived = 0;
    const ended = new Promise<void>((resolve) => {
      this.#received = (record) => {
        latencies[arrived++] = clock() - Number(JSON.parse(record).content);
        if (arrived === latencies.length) resolve();
      };
    });
    const cpu = this.#server.cpu();
    this.#producers.pace({ rate, total: latencies.length });
    await patiently(ended, this.#server.label);
    return { latencies, cpu: this.#server.cpu() - cpu };
  }

  /** Closes the channels. */
  async close(): Promise<void> {
    for (const close of this.#closes) close();
    await this.#producers.close();
  }
}
