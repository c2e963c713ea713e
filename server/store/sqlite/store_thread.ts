/**
 * The sqlite store's thread as the relay's own thread sees it.
 *
 * @module
 */
import { StreamError } from "../../../stream/mod.ts";
import { StoreDatabase } from "./store_database.ts";
import { storeFailure } from "./store_failure.ts";
import type { ThreadAnswer, ThreadRequest } from "./thread_messages.ts";

/**
 * What runs on the thread: the class alone, as JavaScript, which is what the text of a loaded class is.
 * A worker's own file could only be loaded with leave to read the folder of the code; a TypeScript text
 * would be checked anew, away from its imports, wherever types are checked at run time.
 */
const SOURCE = `import { DatabaseSync } from "node:sqlite";
(${StoreDatabase}).serve(DatabaseSync, self);`;

interface Waiting {
  resolve(value: unknown): void;
  reject(error: StreamError): void;
}

/** A worker that holds the database. */
export class StoreThread {
  #worker: Worker;
  #waiting: Waiting[] = [];
  #folder: string;
  #broken?: StreamError;

  /**
   * Starts it.
   *
   * @param folder Where the store lies, for the words of errors.
   */
  constructor(folder: string) {
    this.#folder = folder;
    const url = URL.createObjectURL(new Blob([SOURCE], { type: "text/javascript" }));
    this.#worker = new Worker(url, { type: "module", name: "streamrelay sqlite store" });
    URL.revokeObjectURL(url);
    this.#worker.onmessage = ({ data }: MessageEvent<ThreadAnswer>) => {
      const waiting = this.#waiting.shift();
      if ("failed" in data) waiting?.reject(storeFailure(data, folder));
      else waiting?.resolve(data.value);
    };
    this.#worker.onerror = (event) => {
      // otherwise it would end this process
      event.preventDefault();
      this.#break(`the store's thread failed: ${event.message}`);
    };
  }

  /**
   * Asks something. Questions are answered in the order in which they are asked.
   *
   * @param request What.
   * @returns The answer.
   * @throws {StreamError} what the database said; see `storeFailure`.
   */
  ask<T>(request: ThreadRequest): Promise<T> {
    if (this.#broken) return Promise.reject(this.#broken);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve: resolve as (value: unknown) => void, reject });
      this.#worker.postMessage(request);
    });
  }

  /** Closes the database and ends the thread. */
  async close(): Promise<void> {
    try {
      await this.ask({ ask: "close" });
    } finally {
      this.#worker.terminate();
      this.#break("it is closed");
    }
  }

  #break(why: string): void {
    this.#broken ??= new StreamError(
      "internal",
      `Cannot use the store in ${this.#folder}: ${why}`,
    );
    for (const { reject } of this.#waiting.splice(0)) reject(this.#broken);
  }
}
