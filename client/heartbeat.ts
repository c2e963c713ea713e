/**
 * Noticing that a connection is dead although nobody closed it.
 *
 * @module
 */

/** What a {@linkcode Heartbeat} calls back. */
export interface HeartbeatEvents {
  /** It has been silent: time to ask for a word. */
  ask(): void;
  /** Nothing came after it was asked. */
  dead(): void;
}

/**
 * A firewall that forgot a connection, or a host that went away, says nothing: whoever waits for text
 * would wait for as long as TCP is patient, a quarter of an hour, and whoever has nothing to send would
 * never know. So a side that is silent for an interval is asked, and given another one to answer.
 *
 * One timer, whatever the rate: a message costs setting a flag.
 */
export class Heartbeat {
  #timer?: ReturnType<typeof setInterval>;
  #heard = false;
  #asked = false;

  /**
   * Begins to watch, anew if it did before.
   *
   * @param interval Milliseconds; 0: it doesn't watch.
   * @param events What to call back.
   */
  start(interval: number, { ask, dead }: HeartbeatEvents): void {
    this.stop();
    if (interval === 0) return;
    this.#heard = this.#asked = false;
    this.#timer = setInterval(() => {
      if (this.#heard) this.#heard = this.#asked = false;
      else if (this.#asked) {
        this.stop();
        dead();
      } else {
        this.#asked = true;
        ask();
      }
    }, interval);
  }

  /** Notes a word of the other side. */
  heard(): void {
    this.#heard = true;
  }

  /** Ends it. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
