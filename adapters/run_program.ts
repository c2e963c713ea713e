/**
 * Runs a scheduler's command, without a shell in between.
 *
 * @module
 */
import { StreamError } from "../stream/stream_error.ts";
import { cleanEnvironment } from "./clean_environment.ts";
import { feedText } from "./feed_text.ts";

/** How a program ended. */
export interface ProgramOutcome {
  /** Its exit code. */
  code: number;
  /** What it printed. */
  stdout: string;
  /** What it complained about, trimmed. */
  stderr: string;
}

/** Options of {@linkcode runProgram}. */
export interface RunProgramOptions {
  /** Written to its standard input, which is empty otherwise. */
  stdin?: string;
  /** Working folder. */
  cwd?: string;
  /** Further variables of the environment that it shall not see. */
  unset?: RegExp;
  /** Ends it. */
  signal?: AbortSignal;
}

/**
 * Runs a program to its end, in this process's environment without any `STREAMRELAY_*` and `RELAY_*`.
 *
 * @param program Its name or path.
 * @param args Its arguments, which everybody on the machine can read: no secret, no prompt.
 * @param options Input, folder, signal.
 * @returns What it printed and how it ended.
 * @throws {StreamError} `submit_failed` where there is no such program.
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: RunProgramOptions = {},
): Promise<ProgramOutcome> {
  const { stdin, unset, ...rest } = options;
  const env = cleanEnvironment();
  for (const name of Object.keys(env)) if (unset?.test(name)) delete env[name];
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program, {
      args: [...args],
      clearEnv: true,
      env,
      stdin: stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
      ...rest,
    }).spawn();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    if (options.cwd !== undefined && !await isFolder(options.cwd)) {
      throw new StreamError(
        "bad_request",
        `Cannot run ${program}: there is no folder ${options.cwd}, expected workdir to exist`,
        { cause },
      );
    }
    throw notFound(program, cause);
  }
  const [{ code, stdout, stderr }] = await Promise.all([
    child.output(),
    stdin === undefined ? undefined : feedText(child.stdin, stdin),
  ]);
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr).trim(),
  };
}

/**
 * Makes sure that a program is there, before anything is begun that needs it.
 *
 * @param program Its name, looked for on `PATH`, or its path.
 * @throws {StreamError} `submit_failed` where it isn't.
 * @example
 * ```ts
 * import { requireProgram } from "./run_program.ts";
 * import { assertRejects } from "@std/assert";
 *
 * await requireProgram("sh");
 * await assertRejects(() => requireProgram("no-such-program"), Error, "no-such-program was not found");
 * ```
 */
export async function requireProgram(program: string): Promise<void> {
  const places = program.includes("/")
    ? [program]
    : (Deno.env.get("PATH") ?? "").split(":").map((path) => `${path || "."}/${program}`);
  for (const place of places) {
    try {
      if ((await Deno.stat(place)).isFile) return;
    } catch {
      // the next place may have it
    }
  }
  throw notFound(program);
}

function notFound(program: string, cause?: unknown): StreamError {
  return new StreamError(
    "submit_failed",
    program.includes("/")
      ? `${program} was not found: expected the scheduler's programs there`
      : `${program} was not found on PATH: expected the scheduler's programs on this machine`,
    { cause },
  );
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch {
    return false;
  }
}
