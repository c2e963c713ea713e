/**
 * A thread for the producers of the bench: making a record costs as much as reading one, and with both
 * ends in one thread the bench would measure itself.
 *
 * @module
 */
import type { Address } from "./servers.ts";

/** What the thread is asked; it answers `open` and `close` with their names. */
export type ProducerOrder =
  | { open: Address; channels: string[] }
  | { lane: number; send: number }
  | { close: true };

/** The thread. */
export class ProducerThread {
  #worker = new Worker(new URL("./producer_worker.ts", import.meta.url), { type: "module" });

  /** Opens a producer for each channel. */
  open({ face, url, secret }: Address, channels: string[]): Promise<void> {
    return this.#ask({ open: { face, url, secret }, channels });
  }

  /** Has so many more records sent on a channel; nothing is waited for. */
  send(lane: number, count: number): void {
    this.#worker.postMessage({ lane, send: count } satisfies ProducerOrder);
  }

  /** Ends all streams and closes their producers. */
  close(): Promise<void> {
    return this.#ask({ close: true });
  }

  /** Ends the thread. */
  stop(): void {
    this.#worker.terminate();
  }

  #ask(order: ProducerOrder): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#worker.onmessage = () => resolve();
      this.#worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(`The producers' thread failed: ${event.message}`));
      };
      this.#worker.postMessage(order);
    });
  }
}
