/** Runs a program to its end, for providers and tests. @module */

/** How a program ended. */
export interface Outcome {
  /** Its exit code. */
  code: number;
  /** What it printed. */
  stdout: string;
  /** What it complained about. */
  stderr: string;
}

/** Options of {@linkcode runCommand}. */
export interface RunOptions {
  /** Added to the environment. */
  env?: Record<string, string>;
  /** The working folder. */
  cwd?: string;
  /** Written to its standard input. */
  stdin?: string;
  /** Kills it. */
  signal?: AbortSignal;
}

/**
 * Runs a program and collects what it prints.
 *
 * @param command The program and its arguments.
 * @param options Environment, folder, input.
 * @returns How it ended; a program that isn't there ends with 127, as in a shell.
 */
export async function runCommand(
  command: readonly string[],
  options: RunOptions = {},
): Promise<Outcome> {
  const { stdin, ...rest } = options;
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(command[0], {
      args: command.slice(1),
      stdin: stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
      ...rest,
    }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { code: 127, stdout: "", stderr: `${command[0]}: not found` };
  }
  const [{ code, stdout, stderr }] = await Promise.all([
    child.output(),
    stdin === undefined ? undefined : feed(child.stdin, stdin),
  ]);
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

async function feed(stdin: WritableStream<Uint8Array>, text: string) {
  const writer = stdin.getWriter();
  try {
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
  } catch {
    // A program may end without reading all of its input; its exit code tells.
  }
}
