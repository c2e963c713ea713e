/**
 * A thread for the producers of the bench: making a record costs as much as reading one, and with both
 * ends in one thread the bench would measure itself.
 *
 * @module
 */
import type { Address } from "./servers.ts";

/** What the thread is asked; it answers `open` and `close` with their names. */
export type ProducerOrder =
  & { set: number }
  & (
    | { open: Address; channels: string[] }
    | { lane: number; send: number }
    | { pace: Pace }
    | { close: true }
  );

/** A steady load over all lanes, which take turns. */
export interface Pace {
  /** Records a second, over all lanes. */
  rate: number;
  /** Records in all; the content of each is the time at which it was made, by `clock`. */
  total: number;
}

/** The producers of some channels. */
export interface Producers {
  /** Has so many more records sent on a channel; nothing is waited for. */
  send(lane: number, count: number): void;
  /** Has records sent at a steady pace; nothing is waited for. */
  pace(pace: Pace): void;
  /** Ends all streams and closes their producers. */
  close(): Promise<void>;
}

/** The thread. */
export class ProducerThread {
  #worker = new Worker(new URL("./producer_worker.ts", import.meta.url), { type: "module" });
  #sets = 0;

  /** Opens a producer for each channel. */
  async open({ face, url, secret }: Address, channels: string[]): Promise<Producers> {
    const set = this.#sets++;
    await this.#ask({ set, open: { face, url, secret }, channels });
    return {
      send: (lane, count) => this.#tell({ set, lane, send: count }),
      pace: (pace) => this.#tell({ set, pace }),
      close: () => this.#ask({ set, close: true }),
    };
  }

  /** Ends the thread. */
  stop(): void {
    this.#worker.terminate();
  }

  #tell(order: ProducerOrder): void {
    this.#worker.postMessage(order);
  }

  #ask(order: ProducerOrder): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#worker.onmessage = () => resolve();
      this.#worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(`The producers' thread failed: ${event.message}`));
      };
      this.#tell(order);
    });
  }
}
