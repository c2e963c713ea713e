/**
 * Steps that follow each other: decryption takes its time, and whatever comes behind waits for it.
 *
 * @module
 */
import { StreamError } from "../stream/mod.ts";

/** Takes a step; an error it throws is handed on. */
export type InTurn = (step: () => void | Promise<void>) => void;

/**
 * Makes a queue of steps.
 *
 * @param waits Whether there are steps that others have to wait for; otherwise each is taken at once.
 * @param failed Is told the error of a step.
 * @returns Takes the steps.
 * @example
 * ```ts
 * import { inTurn } from "./in_turn.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const said: string[] = [];
 * await new Promise<void>((resolve) => {
 *   const next = inTurn(true, (error) => said.push(error.message));
 *   next(async () => {
 *     await new Promise((done) => setTimeout(done, 1));
 *     said.push("first");
 *   });
 *   next(() => void said.push("second"));
 *   next(resolve);
 * });
 * assertEquals(said, ["first", "second"]);
 * ```
 */
export function inTurn(waits: boolean, failed: (error: StreamError) => void): InTurn {
  const fail = (error: unknown) => failed(StreamError.from(error));
  if (!waits) {
    return (step) => {
      try {
        step();
      } catch (error) {
        fail(error);
      }
    };
  }
  let turn: Promise<void> = Promise.resolve();
  return (step) => {
    turn = turn.then(step).catch(fail);
  };
}
