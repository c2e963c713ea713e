/** @module */
import type { Peer } from "./peer.ts";

/** The connected WebSockets of a relay. */
export class Peers implements Iterable<Peer> {
  #peers = new Set<Peer>();
  #emptied: (() => void)[] = [];

  /** How many there are. */
  get size(): number {
    return this.#peers.size;
  }

  /** Takes one that came. */
  add(peer: Peer): void {
    this.#peers.add(peer);
  }

  /** Forgets one that has gone. */
  delete(peer: Peer): void {
    this.#peers.delete(peer);
    if (this.#peers.size > 0) return;
    for (const emptied of this.#emptied.splice(0)) emptied();
  }

  /** Those that are connected. */
  [Symbol.iterator](): Iterator<Peer> {
    return this.#peers.values();
  }

  /**
   * Waits for the last one to go.
   *
   * @param most Milliseconds after which it waits no longer.
   */
  async gone(most: number): Promise<void> {
    if (this.#peers.size === 0) return;
    let timer: ReturnType<typeof setTimeout>;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, most);
      this.#emptied.push(resolve);
    });
    clearTimeout(timer!);
  }
}
