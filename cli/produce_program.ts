/**
 * Runs a program and sends what it prints.
 *
 * @module
 */
import { cleanEnvironment } from "../adapters/clean_environment.ts";
import { whyMissing } from "../adapters/why_missing.ts";
import type { RelayProducer } from "../client/mod.ts";
import { StreamError } from "../stream/mod.ts";
import { onInterrupt } from "./on_interrupt.ts";
import { UsageError } from "./usage_error.ts";

/** Bytes of stderr that are reported of a program that fails. */
const STDERR_TAIL = 8 * 1024;
/** Milliseconds a program has after SIGTERM. */
const KILL_AFTER = 5_000;

/**
 * Runs a program, sends its stdout as it comes, and ends the stream by how the program ended. The
 * program sees neither the relay's nor the channel's credentials.
 *
 * @param producer Sends it.
 * @param words The program and its arguments.
 * @returns The program's exit code, or 128 and its signal's number.
 * @throws {UsageError} Where there is no such program.
 * @throws {StreamError} What ended the producer from outside; `cancelled` when somebody cancelled.
 */
export async function produceProgram(
  producer: RelayProducer,
  words: readonly string[],
): Promise<number> {
  const child = await start(producer, words);
  const kill = (signal: Deno.Signal) => {
    try {
      // the whole group: a shell's children as well
      Deno.kill(-child.pid, signal);
    } catch {
      // it has ended already
    }
  };
  let killing: ReturnType<typeof setTimeout> | undefined;
  const stop = () => {
    kill("SIGTERM");
    killing ??= setTimeout(() => kill("SIGKILL"), KILL_AFTER);
  };
  producer.signal.addEventListener("abort", stop, { once: true });
  if (producer.signal.aborted) stop();
  const release = onInterrupt(kill);
  try {
    const [sent, stderr, status] = await Promise.all([
      send(producer, child.stdout).then(() => undefined, StreamError.from),
      passOn(child.stderr),
      child.status,
    ]);
    const { aborted, reason } = producer.signal;
    if (aborted) {
      if (reason?.code === "cancelled") await producer.fail(reason);
      throw reason;
    }
    if (sent !== undefined) throw sent;
    await (status.success ? producer.done() : producer.fail(failure(words[0], status, stderr)));
    return status.code;
  } finally {
    clearTimeout(killing);
    release();
    producer.signal.removeEventListener("abort", stop);
  }
}

async function start(
  producer: RelayProducer,
  words: readonly string[],
): Promise<Deno.ChildProcess> {
  try {
    return new Deno.Command(words[0], {
      args: words.slice(1),
      clearEnv: true,
      // a Python program gathers what it prints into a pipe, otherwise
      env: { PYTHONUNBUFFERED: "1", ...cleanEnvironment() },
      stdin: "inherit",
      stdout: "piped",
      stderr: "piped",
      detached: true,
    }).spawn();
  } catch (error) {
    const why = whyMissing(error, "program");
    const message = `Cannot run ${words[0]}: ${why}`;
    await producer.fail(new StreamError("job_failed", message));
    throw new UsageError(message);
  }
}

/** Sends all, and reads on when nobody wants it any more: a full pipe would hold the program. */
async function send(
  producer: RelayProducer,
  stdout: ReadableStream<Uint8Array>,
): Promise<void> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let failed: unknown;
  const pass = async (text: string) => {
    if (text === "" || failed !== undefined) return;
    await producer.token(text).catch((error) => failed = error);
  };
  for await (const bytes of stdout) {
    await pass(decoder.decode(bytes, { stream: true }));
  }
  await pass(decoder.decode());
  if (failed !== undefined) throw failed;
}

/** Passes stderr on and keeps its end. */
async function passOn(stderr: ReadableStream<Uint8Array>): Promise<string> {
  let tail = new Uint8Array();
  for await (const bytes of stderr) {
    await Deno.stderr.write(bytes).catch(() => {});
    const all = new Uint8Array(tail.length + bytes.length);
    all.set(tail);
    all.set(bytes, tail.length);
    tail = all.slice(-STDERR_TAIL);
  }
  return new TextDecoder().decode(tail);
}

function failure(
  program: string,
  status: Deno.CommandStatus,
  stderr: string,
): StreamError {
  const { code, signal } = status;
  return new StreamError(
    "job_failed",
    signal ? `${program} was ended by ${signal}` : `${program} ended with exit code ${code}`,
    {
      details: {
        ...(signal ? { signal } : { exitCode: code }),
        ...(stderr && { stderr }),
        node: Deno.hostname(),
      },
    },
  );
}
