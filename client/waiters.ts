/**
 * Promises that wait for something to become true.
 *
 * @module
 */
import type { StreamError } from "../stream/mod.ts";

interface Waiter {
  met: () => boolean;
  resolve: () => void;
  reject: (error: StreamError) => void;
}

/** Those who wait, and who are looked after whenever something has changed. */
export class Waiters {
  #waiting: Waiter[] = [];

  /**
   * Waits.
   *
   * @param met Whether it is true already.
   * @returns Resolved once it is, rejected when it can't become so any more.
   */
  until(met: () => boolean): Promise<void> {
    if (met()) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.push({ met, resolve, reject }));
  }

  /** Resolves those whose condition is met. */
  settle(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const waiter of waiting) {
      if (waiter.met()) waiter.resolve();
      else this.#waiting.push(waiter);
    }
  }

  /**
   * Rejects everybody.
   *
   * @returns Whether there was anybody.
   */
  fail(error: StreamError): boolean {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { reject } of waiting) reject(error);
    return waiting.length > 0;
  }
}
