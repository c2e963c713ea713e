/**
 * How many channels each owner of a create token holds.
 *
 * @module
 */
import { StreamError } from "../stream/mod.ts";

/** Counts channels by owner. */
export class ChannelQuota {
  #most: number;
  #owned = new Map<string, Set<string>>();

  /** @param most Most channels that one owner may hold at a time. */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Counts a channel that is about to be made, so that requests at the same time cannot pass together.
   *
   * @param owner Whose it is; one of nobody's is not counted.
   * @param id Its name.
   * @returns Takes it back, unless it had been counted before.
   * @throws {StreamError} `limit`.
   */
  take(owner: string | undefined, id: string): () => void {
    if (owner === undefined) return () => {};
    const owned = this.#owned.get(owner);
    if (owned?.has(id)) return () => {};
    if (owned && owned.size >= this.#most) {
      throw new StreamError(
        "limit",
        `Cannot create channel: this token holds ${owned.size}, expected at most ${this.#most}`,
      );
    }
    this.found(owner, id);
    return () => this.#drop(owner, id);
  }

  /** Counts a channel that is there already, whatever the bound. */
  found(owner: string | undefined, id: string): void {
    if (owner === undefined) return;
    const owned = this.#owned.get(owner) ?? new Set();
    this.#owned.set(owner, owned.add(id));
  }

  /** Notes that a channel is gone. */
  forget(id: string): void {
    for (const owner of this.#owned.keys()) this.#drop(owner, id);
  }

  #drop(owner: string, id: string): void {
    const owned = this.#owned.get(owner);
    if (owned?.delete(id) && owned.size === 0) this.#owned.delete(owner);
  }
}
