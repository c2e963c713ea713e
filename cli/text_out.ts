/** @module */

/** Waiting text beyond which the stream is held until stdout has taken it. */
const MAX_WAITING = 256 * 1024;

/**
 * Writes text to stdout as it comes: at once while nothing is under way, gathered while a slow reader
 * takes its time.
 */
export class TextOut {
  #encoder = new TextEncoder();
  #waiting = "";
  #writing?: Promise<void>;
  #failure: unknown;

  /**
   * Writes.
   *
   * @param text The text.
   * @returns A promise to wait for when the reader is too slow.
   * @throws {Deno.errors.BrokenPipe} When the reader has gone.
   */
  write(text: string): Promise<void> | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    this.#waiting += text;
    this.#writing ??= this.#drain();
    return this.#waiting.length > MAX_WAITING ? this.flush() : undefined;
  }

  /** Waits until all is written. */
  async flush(): Promise<void> {
    await this.#writing;
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #drain(): Promise<void> {
    try {
      while (this.#waiting !== "") {
        const bytes = this.#encoder.encode(this.#waiting);
        this.#waiting = "";
        for (let at = 0; at < bytes.length;) {
          at += await Deno.stdout.write(bytes.subarray(at));
        }
      }
    } catch (error) {
      this.#failure = error;
    }
    this.#writing = undefined;
  }
}
