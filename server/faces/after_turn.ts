/**
 * Turns of the event loop: which one it is, and when it is over.
 *
 * @module
 */
import { setImmediate } from "node:timers";

let turn = 0;
let looking = false;
let waiting: (() => void)[] = [];

/**
 * Which turn of the event loop this is. All that ask in one turn share one look at its end: an immediate
 * for each would cost as much as a message.
 *
 * @returns A number that is another one in every turn.
 */
export function thisTurn(): number {
  if (!looking) {
    looking = true;
    setImmediate(over);
  }
  return turn;
}

/**
 * Calls back when this turn of the event loop is over.
 *
 * @param callback What is to be called, once.
 */
export function afterTurn(callback: () => void): void {
  thisTurn();
  waiting.push(callback);
}

function over(): void {
  looking = false;
  turn++;
  if (waiting.length === 0) return;
  const now = waiting;
  waiting = [];
  for (const callback of now) callback();
}
