/**
 * The makings of channels that went, to tell `expired` from `relay_restarted`.
 *
 * @module
 */

/** How many are remembered. */
const REMEMBERED = 10_000;

/** Incarnations that are gone, the latest of them. */
export class GoneIncarnations {
  #gone = new Set<string>();

  /** Remembers one; the oldest is forgotten for it. */
  add(incarnation: string): void {
    this.#gone.add(incarnation);
    if (this.#gone.size <= REMEMBERED) return;
    for (const oldest of this.#gone) {
      this.#gone.delete(oldest);
      break;
    }
  }

  /** Whether one is known to be gone. */
  has(incarnation: string): boolean {
    return this.#gone.has(incarnation);
  }
}
