/**
 * The end of a turn of the event loop.
 *
 * @module
 */
import { setImmediate } from "node:timers";

let waiting: (() => void)[] = [];

/**
 * Calls back when this turn of the event loop is over. All that ask in one turn share one look: an
 * immediate for each would cost as much as a message.
 *
 * @param callback What is to be called, once.
 */
export function afterTurn(callback: () => void): void {
  if (waiting.push(callback) === 1) setImmediate(over);
}

function over(): void {
  const now = waiting;
  waiting = [];
  for (const callback of now) callback();
}
