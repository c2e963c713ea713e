/**
 * One process group of this machine that runs a job script.
 *
 * @module
 */
import { StreamError } from "../../stream/stream_error.ts";
import { feedText } from "../feed_text.ts";

/** How much of what a job complains about is kept, in bytes. */
const TAIL = 8_192;
/** Milliseconds that its stderr is read on after its end; only a daemon that holds it open takes them. */
const DRAIN = 1_000;

/** A job on this machine. */
export interface LocalJob {
  /** The id of its process, which is the group's. */
  id: string;
  /** How it ended, once it has. */
  readonly ended?: Deno.CommandStatus;
  /** Resolves when it has ended. */
  status: Promise<void>;
  /** The end of what it wrote to stderr; what a daemon of its own still writes isn't waited for. */
  stderrTail(): Promise<string>;
  /** Asks the job to end, and ends all of its session after so many milliseconds. */
  kill(after: number): Promise<void>;
}

/** Where a local job runs, and where its output goes. */
export interface LocalJobOptions {
  /** Working folder; this process's by default. */
  cwd?: string;
  /** Its whole environment. */
  env: Record<string, string>;
  /** File that gets a copy of its output; none by default. */
  output?: string;
  /** File that gets what it complains about; the output file, or none, by default. */
  error?: string;
}

/**
 * Starts a job script under bash, in a session of its own. The script goes in by stdin, so that its
 * token is in no argument list.
 *
 * @param script The script.
 * @param options Folder, environment, files.
 * @returns The job.
 * @throws {StreamError} `submit_failed` where bash can't be started, or a file can't be written.
 */
export async function startLocalJob(
  script: string,
  options: LocalJobOptions,
): Promise<LocalJob> {
  const output = await openFile(options.output, options.cwd);
  const error = options.error === options.output
    ? undefined
    : await openFile(options.error, options.cwd);
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command("bash", {
      cwd: options.cwd,
      clearEnv: true,
      env: options.env,
      stdin: "piped",
      stdout: output ? "piped" : "null",
      stderr: "piped",
      detached: true,
    }).spawn();
  } catch (cause) {
    output?.close();
    error?.close();
    throw new StreamError(
      "submit_failed",
      cause instanceof Deno.errors.NotFound && options.cwd === undefined
        ? "bash was not found on PATH: expected it on this machine"
        : `Cannot start job${options.cwd ? ` in ${options.cwd}` : ""}: ${(cause as Error).message}`,
      { cause },
    );
  }
  let tail: Uint8Array = new Uint8Array(0);
  const complained = pump(child.stderr, error ?? output, (chunk) => tail = lastOf(tail, chunk));
  const pumps = [
    feedText(child.stdin, script),
    complained,
    ...(output ? [pump(child.stdout, output)] : []),
  ];
  let ended: Deno.CommandStatus | undefined;
  const status = child.status.then((how) => {
    ended = how;
  });
  // a daemon that the job left behind may hold its outputs open longer than it lives
  Promise.all(pumps).finally(() => {
    output?.close();
    error?.close();
  });
  return {
    id: String(child.pid),
    get ended() {
      return ended;
    },
    status,
    async stderrTail(): Promise<string> {
      // it may have ended before all that it wrote was read
      await settled(complained, DRAIN);
      return new TextDecoder().decode(tail);
    },
    async kill(after: number): Promise<void> {
      signalGroup(child.pid, "SIGTERM");
      await settled(status, after);
      killSession(child.pid);
    },
  };
}

/** Waits for something, for so many milliseconds at most. */
async function settled(what: Promise<void>, most: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => timer = setTimeout(resolve, most));
  await Promise.race([what.catch(() => {}), late]);
  clearTimeout(timer);
}

function signalGroup(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(-pid, signal);
  } catch (error) {
    // nobody is left in the group
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** The program has a process group of its own within the job's session, and may outlive its wrapper. */
function killSession(leader: number): void {
  signalGroup(leader, "SIGKILL");
  if (Deno.build.os !== "linux") return;
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name) || sessionOf(name) !== leader) continue;
    try {
      Deno.kill(Number(name), "SIGKILL");
    } catch {
      // it has ended meanwhile
    }
  }
}

function sessionOf(pid: string): number | undefined {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    // pid (name, which may hold anything) state ppid pgrp session
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[3]);
  } catch {
    return undefined;
  }
}

async function openFile(
  path: string | undefined,
  folder: string | undefined,
): Promise<Deno.FsFile | undefined> {
  if (path === undefined) return undefined;
  const whole = path.startsWith("/") || !folder ? path : `${folder}/${path}`;
  try {
    return await Deno.open(whole, { write: true, create: true, truncate: true });
  } catch (cause) {
    throw new StreamError(
      "submit_failed",
      `Cannot write output file ${whole}: ${(cause as Error).message}`,
      { cause },
    );
  }
}

async function pump(
  from: ReadableStream<Uint8Array>,
  file: Deno.FsFile | undefined,
  look?: (chunk: Uint8Array) => void,
): Promise<void> {
  for await (const chunk of from) {
    look?.(chunk);
    let at = 0;
    while (file && at < chunk.length) at += await file.write(chunk.subarray(at));
  }
}

function lastOf(tail: Uint8Array, chunk: Uint8Array): Uint8Array {
  const both = new Uint8Array(tail.length + chunk.length);
  both.set(tail);
  both.set(chunk, tail.length);
  return both.slice(-TAIL);
}
