/** @module */

/** What a test runner printed, and its exit code. */
export interface TestRun {
  /** Its exit code. */
  code: number;
  /** Its standard output, which was also passed on. */
  output: string;
}

/** Options of {@linkcode runTests}. */
export interface RunTestsOptions {
  /** Added to the environment. */
  env: Record<string, string>;
  /** Kills it. */
  signal?: AbortSignal;
}

/**
 * Runs a test runner, passes what it prints on as it comes, and keeps it to be read.
 *
 * @param command The runner and its arguments.
 * @param options Environment and signal.
 * @returns How it ended.
 */
export async function runTests(
  command: readonly string[],
  options: RunTestsOptions,
): Promise<TestRun> {
  const child = new Deno.Command(command[0], {
    args: command.slice(1),
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
    cwd: new URL("../../", import.meta.url),
    ...options,
  }).spawn();
  const decoder = new TextDecoder();
  let output = "";
  for await (const chunk of child.stdout) {
    output += decoder.decode(chunk, { stream: true });
    await writeAll(chunk);
  }
  const { code } = await child.status;
  return { code, output };
}

async function writeAll(chunk: Uint8Array) {
  for (let at = 0; at < chunk.length;) {
    at += await Deno.stdout.write(chunk.subarray(at));
  }
}
