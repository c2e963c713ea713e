/**
 * One job script on a machine without a scheduler. It runs for as long as the standard input of its
 * shell stays open: whatever ends this process, or the connection, ends the job too.
 *
 * @module
 */
import { StreamError } from "../../stream/stream_error.ts";
import { hearText } from "../hear_text.ts";
import { jobText } from "./remote_shell.ts";
import type { SshConnection } from "./ssh_connection.ts";
import { notStarted } from "./ssh_programs.ts";

/** How much of what a job complains about is kept, in characters. */
const TAIL = 8_192;

/** Milliseconds for what is still on its way after a job's end. */
const LINGER = 1_000;

/** How a job on another machine ended. */
export interface SshJobEnd {
  /** Its exit code; `undefined` where the connection was lost before it was told. */
  code?: number;
  /** What was said on standard error, by the job or by ssh. */
  stderr: string;
}

/** A job on another machine. */
export interface SshJob {
  /** The id of its process there, which is its session's. */
  pid: string;
  /** How it ended, once it has. */
  readonly ended?: SshJobEnd;
  /** Resolves when it has ended. */
  status: Promise<SshJobEnd>;
  /** The end of what it wrote to stderr. */
  stderrTail(): string;
  /** Lets go of the job, which ends it: SIGTERM, and SIGKILL to what is left after `killAfter`. */
  kill(): Promise<void>;
}

/** Where the job's output goes, and what it gets to end. */
export interface SshJobOptions {
  /** File on the machine that gets a copy of its output; none by default. */
  output?: string;
  /** File there for what it complains about; that of its output by default. */
  error?: string;
  /** Milliseconds between SIGTERM and SIGKILL. */
  killAfter: number;
  /** Milliseconds beyond that for a machine that does not answer. */
  patience?: number;
}

/**
 * Starts a job script. It goes in on standard input, so that its token is in no argument list.
 *
 * @param connection The connection to the machine.
 * @param script The script.
 * @param options Files, times.
 * @returns The job, once it runs.
 * @throws {StreamError} `unreachable`, `unauthorized` or `submit_failed` where it can't be started.
 */
export async function startSshJob(
  connection: SshConnection,
  script: string,
  options: SshJobOptions,
): Promise<SshJob> {
  const mark = `streamrelay-${crypto.randomUUID()}`;
  const body = new TextEncoder().encode(script);
  const { output, error, killAfter, patience = 10_000 } = options;
  const text = jobText(mark, { bytes: body.length, output, error, killAfter });
  const child = await connection.shell();
  const writer = child.stdin.getWriter();
  // what ends early does not read it all; its words tell
  const closed = () => {};
  writer.write(new TextEncoder().encode(text)).catch(closed);
  writer.write(body).catch(closed);

  let stderr = "";
  const listening = hearText(child.stderr, (chunk) => {
    stderr += chunk;
    const start = stderr.indexOf(`${mark} start\n`);
    // what the login itself says is not the job's
    if (start >= 0) stderr = stderr.slice(start + mark.length + 7);
    stderr = stderr.slice(-TAIL);
  });
  const begun = Promise.withResolvers<string | undefined>();
  let code: number | undefined;
  let linger: ReturnType<typeof setTimeout> | undefined;
  const telling = listenToLines(child.stdout, (line) => {
    if (!line.startsWith(mark)) return;
    const [what, value] = line.slice(mark.length + 1).split(" ");
    if (what === "job") begun.resolve(value);
    if (what !== "end") return;
    code = Number(value);
    // a daemon that the job left behind may hold its stderr open longer than it lives
    linger = setTimeout(() => child.kill("SIGKILL"), LINGER);
  });
  let ended: SshJobEnd | undefined;
  const finish = async (): Promise<SshJobEnd> => {
    await Promise.all([telling, listening]);
    const { code: own } = await child.status;
    clearTimeout(linger);
    begun.resolve(undefined);
    await writer.close().catch(closed);
    return ended = code === undefined
      ? { stderr: stderr || `ssh ended with exit code ${own}` }
      : { code, stderr };
  };
  const status = finish();

  const pid = await begun.promise;
  if (pid === undefined) {
    const { stderr } = await status;
    throw notStarted(connection.host, (await child.status).code, stderr);
  }
  return {
    pid,
    get ended() {
      return ended;
    },
    status,
    stderrTail: () => stderr,
    async kill(): Promise<void> {
      await writer.close().catch(closed);
      let timer: ReturnType<typeof setTimeout> | undefined;
      const given = new Promise<void>((resolve) =>
        timer = setTimeout(resolve, killAfter + patience)
      );
      await Promise.race([status, given]);
      clearTimeout(timer);
      if (ended) return;
      child.kill("SIGKILL");
      throw new StreamError(
        "unreachable",
        `${connection.host} did not say that job ${pid} has ended; it ends there as soon as the connection is seen to be gone`,
      );
    },
  };
}

async function listenToLines(
  from: ReadableStream<Uint8Array>,
  heard: (line: string) => void,
): Promise<void> {
  let rest = "";
  await hearText(from, (text) => {
    const lines = (rest + text).split("\n");
    // a login that prints without end must not fill our memory
    rest = lines.pop()!.slice(-TAIL);
    lines.forEach(heard);
  });
}
