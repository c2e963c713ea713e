/**
 * `task-key`: what a job array's script asks, whose tasks hold one key.
 *
 * @module
 */
import process from "node:process";
import { fromEnvironment } from "../../client/environment.ts";
import { taskKey } from "../../stream/mod.ts";

/**
 * Prints the key of one task's stream, out of the array's `STREAMRELAY_KEY`.
 *
 * @param array The array's id.
 * @param task The task's index.
 * @returns The exit code.
 * @throws {StreamError} `bad_request` for a key that can't be read.
 */
export async function printTaskKey(array: string, task: number): Promise<number> {
  process.stdout.write(await taskKey(fromEnvironment().key ?? "", array, task));
  return 0;
}
