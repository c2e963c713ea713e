/**
 * `input` and `report`: what a job asks its relay before and after the program.
 *
 * @module
 */
import { writeFileSync } from "node:fs";
import { ControlClient } from "../../client/control_client.ts";
import { fromEnvironment } from "../../client/environment.ts";
import { openInput, StreamError } from "../../stream/mod.ts";
import { failureOf, readVerdict } from "./job_verdict.ts";
import { OutputStream } from "./output_stream.ts";
import { distrustIn } from "./relay_trust.ts";
import { pause, say, seconds } from "./settings.ts";

/**
 * Fetches the channel's input.
 *
 * @param path The file to write, readable by its owner only.
 * @returns The exit code: 0, 3 when there is none, 4 when the stream was cancelled or has its end.
 */
export async function fetchInput(path: string): Promise<number> {
  const { channel = "", key, encryption } = fromEnvironment();
  const relay = new ControlClient();
  try {
    const { cancel, end } = await persist(() => relay.info(channel));
    if (cancel || end) return 4;
    const input = await persist(() => relay.getInput(channel));
    if (input === undefined) return 3;
    // the Python package's key is one of v1, which has no inputs
    const isSealed = key !== undefined && encryption !== "v1";
    const opened = isSealed ? await openInput(key, channel, input) : input;
    writeFileSync(path, opened, { mode: 0o600 });
    return 0;
  } catch (error) {
    if (error instanceof StreamError && error.code === "ended") return 4;
    say(`the input can't be fetched: ${error instanceof Error ? error.message : error}`);
    return 1;
  }
}

/**
 * Reports a failure where the user's own producer didn't end the stream.
 *
 * @param path The verdict file.
 * @returns The exit code: 0 when the channel has an end, or the program none to report.
 */
export async function report(path: string): Promise<number> {
  const verdict = readVerdict(path);
  if (verdict === undefined) {
    say(`${path} holds no verdict`);
    return 1;
  }
  if (failureOf(verdict) === undefined) return 0;
  const { channel = "" } = fromEnvironment();
  try {
    const { end, claims } = await persist(() => new ControlClient().info(channel));
    if (end) return 0;
    const last = claims.at(-1);
    const send = (continues?: { epoch: number; count: number }) => {
      const output = new OutputStream(() => {}, () => true, continues);
      output.close();
      return output.finish(verdict);
    };
    await send(last && { epoch: last.epoch, count: last.next }).catch((error) => {
      if (error?.code === "seq_gap") return send();
      throw error;
    });
    return 0;
  } catch (error) {
    if (error instanceof StreamError && error.code === "ended") return 0;
    say(
      `how the program ended could not be told to the relay: ${
        error instanceof Error ? error.message : error
      }`,
    );
    return 1;
  }
}

/** Repeats a request while trying again can help, for `STREAMRELAY_GIVE_UP` seconds. */
async function persist<T>(request: () => Promise<T>): Promise<T> {
  const over = Date.now() + seconds("GIVE_UP", 600) * 1000;
  for (let wait = 200;; wait = Math.min(wait * 2, 10_000)) {
    try {
      return await request();
    } catch (error) {
      const left = over - Date.now();
      const distrust = distrustIn(error, new ControlClient().urls);
      if (distrust !== undefined) throw new StreamError("unreachable", distrust);
      if (!(error instanceof StreamError && error.retry) || left <= 0) throw error;
      if (wait === 200) say(`${error.message}; trying on`);
      await pause(Math.min(left, wait * (0.5 + Math.random() / 2)));
    }
  }
}
