/**
 * Runs programs on another machine, over one ssh connection.
 *
 * @module
 */
import { StreamError } from "../../stream/stream_error.ts";
import { feedText } from "../feed_text.ts";
import { localPrograms, type Machine, type ProgramRunner } from "../program_runner.ts";
import type { ProgramOutcome, RunProgramOptions } from "../run_program.ts";
import { programText } from "./remote_shell.ts";
import { SshConnection } from "./ssh_connection.ts";
import { sshFailure } from "./ssh_failure.ts";
import type { Via } from "./ssh_options.ts";

/**
 * What runs a scheduler's programs.
 *
 * @param via The machine to run them on; this one by default.
 * @returns The runner.
 * @throws {StreamError} `bad_request` for a machine that can't be.
 */
export function programRunner(via: Via | undefined): ProgramRunner {
  if (via === undefined) return localPrograms;
  const { ssh: host, ...options } = via;
  return new SshPrograms(SshConnection.to({ host, ...options }));
}

/**
 * The error of somebody who wants a relay of their own to be found by nodes behind a login node.
 *
 * @param via The login node.
 * @returns What to say.
 */
export function relayBehind(via: Via): StreamError {
  return new StreamError(
    "bad_request",
    `Cannot start a relay here for the compute nodes behind ${via.ssh}: expected relay.url, and relay.jobUrl where nodes see it under another one; or relay "via", or transport "file"`,
  );
}

/** Programs of the machine at the other end. Its login shell's `PATH` and environment are theirs. */
export class SshPrograms implements ProgramRunner {
  /** What the machine is called. */
  readonly place: string;
  #connection: SshConnection;

  /** @param connection The connection to the machine. */
  constructor(connection: SshConnection) {
    this.#connection = connection;
    this.place = connection.host;
  }

  /** The connection to the machine. */
  get machine(): Machine {
    return this.#connection;
  }

  /**
   * Runs a program to its end. Its name and arguments, and its input, go in on standard input.
   *
   * @param program Its name or path.
   * @param args Its arguments, which everybody on that machine can read.
   * @param options Input, folder, signal.
   * @returns What it printed and how it ended.
   * @throws {StreamError} `submit_failed` where there is no such program; `unreachable` or
   * `unauthorized` where the machine can't be reached.
   */
  async run(
    program: string,
    args: readonly string[],
    options: RunProgramOptions = {},
  ): Promise<ProgramOutcome> {
    const { stdin, cwd, unset, signal } = options;
    const mark = `streamrelay-${crypto.randomUUID()}`;
    const text = programText(mark, { program, args, cwd, unset, stdin: stdin !== undefined });
    signal?.throwIfAborted();
    const child = await this.#connection.shell();
    const stop = () => kill(child);
    signal?.addEventListener("abort", stop, { once: true });
    try {
      const [{ code, stdout, stderr }] = await Promise.all([
        child.output(),
        feedText(child.stdin, text + (stdin ?? "")),
      ]);
      signal?.throwIfAborted();
      const decoder = new TextDecoder();
      return this.#outcome(program, mark, {
        code,
        stdout: decoder.decode(stdout),
        stderr: decoder.decode(stderr),
      }, cwd);
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  /**
   * Makes sure that a program is there.
   *
   * @param program Its name or path.
   * @throws {StreamError} `submit_failed` where it isn't; as {@linkcode SshPrograms.run} does.
   */
  async require(program: string): Promise<void> {
    const { code } = await this.run("command", ["-v", "--", program]);
    if (code !== 0) throw notFound(program, this.place);
  }

  #outcome(
    program: string,
    mark: string,
    { code, stdout, stderr }: ProgramOutcome,
    cwd?: string,
  ): ProgramOutcome {
    const complaint = after(stderr, `${mark} start\n`) ?? stderr;
    const answer = after(stdout, `${mark} start\n`);
    if (answer === undefined) throw notStarted(this.place, code, complaint);
    if (answer === `${mark} missing\n`) {
      throw notFound(program, this.place);
    }
    if (answer === `${mark} folder\n`) {
      throw new StreamError(
        "bad_request",
        `Cannot run ${program}: there is no folder ${cwd} on ${this.place}, expected workdir to exist`,
      );
    }
    const end = answer.lastIndexOf(`\n${mark} end `);
    if (end < 0) {
      throw new StreamError(
        "unreachable",
        `The ssh connection to ${this.place} was lost while ${program} ran (exit code ${code}): ${
          complaint.trim() || "it gave no reason"
        }`,
      );
    }
    return {
      code: parseInt(answer.slice(end + mark.length + 6)),
      stdout: answer.slice(0, end),
      stderr: complaint.trim(),
    };
  }
}

/**
 * The error of a shell that never began to do what it was told.
 *
 * @param host The machine.
 * @param code The exit code.
 * @param words What was written to standard error.
 * @returns `unreachable` or `unauthorized` for ssh's own 255, else `submit_failed`.
 */
export function notStarted(host: string, code: number, words: string): StreamError {
  if (code === 255) return sshFailure(host, words);
  return new StreamError(
    "submit_failed",
    `${host} did not run our shell (exit code ${code}): ${
      words.trim() || "it gave no reason"
    }; expected a login that runs the command "bash -l -s"`,
    { details: { stderr: words } },
  );
}

function notFound(program: string, place: string): StreamError {
  return new StreamError(
    "submit_failed",
    `${program} was not found on ${place}: expected it ${
      program.includes("/") ? "there" : "on the PATH of a login shell there, or bin"
    }`,
  );
}

function after(text: string, mark: string): string | undefined {
  const at = text.indexOf(mark);
  return at < 0 ? undefined : text.slice(at + mark.length);
}

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGTERM");
  } catch {
    // it has ended meanwhile
  }
}
