/**
 * `run -- command …`: a command's output becomes the stream, and its exit code the stream's end.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import process from "node:process";
import { type JobVerdict, STDERR_TAIL } from "./job_verdict.ts";
import { OutputStream } from "./output_stream.ts";
import { endGroup, JOB_SIGNALS, signalGroup } from "./process_group.ts";
import { pause, say, seconds } from "./settings.ts";

/**
 * Runs a command. Its output is passed on to our own as well.
 *
 * @param command Program and arguments.
 * @returns The command's exit code; 128 and the signal's number when a signal killed it.
 */
export async function run(command: string[]): Promise<number> {
  const env: Record<string, string | undefined> = { PYTHONUNBUFFERED: "1", ...process.env };
  for (
    const name of ["STREAMRELAY_TOKEN", "STREAMRELAY_KEY", "RELAY_SECRET", "RELAY_ENCRYPTION_KEY"]
  ) {
    delete env[name];
  }
  let over = false;
  let stopped = 0;
  const output = new OutputStream(() => child.pid && void endGroup(child.pid), () => over);
  const child = spawn(command[0], command.slice(1), {
    stdio: ["inherit", "pipe", "pipe"],
    detached: true,
    env,
  });
  for (const signal of JOB_SIGNALS) {
    process.on(signal, () => {
      if (signal === "SIGTERM" || signal === "SIGINT") stopped = constants.signals[signal];
      if (child.pid) signalGroup(child.pid, signal);
    });
  }
  let tail = new Uint8Array();
  const ended = Promise.withResolvers<JobVerdict>();
  const closed = Promise.withResolvers<void>();
  child.on("error", (error) => {
    say(`can't run ${command[0]}: ${error.message}`);
    ended.resolve({ kind: "exit", number: 127, stderr: `${error.message}\n` });
    closed.resolve();
  });
  child.on("exit", (code, signal) => {
    over = true;
    const killed = stopped || (signal ? constants.signals[signal] : 0);
    ended.resolve({ kind: killed ? "signal" : "exit", number: killed || (code ?? 1), stderr: "" });
  });
  child.on("close", () => closed.resolve());
  child.stdout.on("data", (bytes: Uint8Array) => {
    output.write(bytes);
    process.stdout.write(bytes);
  });
  child.stderr.on("data", (bytes: Uint8Array) => {
    process.stderr.write(bytes);
    const joined = new Uint8Array(tail.length + bytes.length);
    joined.set(tail);
    joined.set(bytes, tail.length);
    tail = joined.slice(-STDERR_TAIL);
  });
  const sent = output.send().then(() => true, tell);
  const verdict = await ended.promise;
  await Promise.race([closed.promise, pause(seconds("DRAIN", 2) * 1000)]);
  output.close();
  verdict.stderr ||= new TextDecoder().decode(tail);
  if (await sent) await output.finish(verdict).catch(tell);
  return verdict.kind === "signal" ? 128 + verdict.number : verdict.number;
}

function tell(error: unknown): false {
  say(
    `streaming stopped: ${
      error instanceof Error ? error.message : error
    }; the command's output is above`,
  );
  return false;
}
