/**
 * Ends a relay that nobody uses.
 *
 * @module
 */
import { Deadline } from "./deadline.ts";
import type { RelayContext } from "./relay_context.ts";

/** Notices when a relay has had no connection, no lease and no request for a while. */
export class IdleWatch {
  /** Called when it is due. */
  due: () => void = () => {};
  #context: RelayContext;
  #after: number | undefined;
  #deadline = new Deadline();
  #last = Date.now();

  /**
   * @param context The relay.
   * @param seconds After how long; never when `undefined`.
   */
  constructor(context: RelayContext, seconds: number | undefined) {
    this.#context = context;
    this.#after = seconds === undefined ? undefined : seconds * 1000;
    this.#arm();
  }

  /** Notes a request or a new connection. */
  seen(): void {
    this.#last = Date.now();
  }

  /** Stops watching. */
  close(): void {
    this.#after = undefined;
    this.#deadline.clear();
  }

  #arm(): void {
    if (this.#after === undefined) return;
    this.#deadline.set(this.#last + this.#after, () => this.#look().catch(() => this.#arm()));
  }

  async #look(): Promise<void> {
    if (await this.#busy()) this.#last = Date.now();
    if (this.#after === undefined) return;
    if (Date.now() >= this.#last + this.#after) this.due();
    else this.#arm();
  }

  async #busy(): Promise<boolean> {
    const { channels, peers, store } = this.#context;
    if (peers.size > 0 || channels.live.some((channel) => channel.inUse)) {
      return true;
    }
    const now = Date.now();
    return (await store.list()).some(({ leaseUntil, end }) => !end && (leaseUntil ?? 0) > now);
  }
}
