/**
 * `deno task compile [FOLDER]`: makes the producer that is put on a shared file system for nodes without any
 * runtime, out of `adapters/producers/entry.ts`: one executable for each kind of Linux machine. They need
 * a part of Deno that is downloaded; where it can't be, there is the one file that deno and node run.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { BUNDLE } from "./bundle_producer.ts";

const ENTRY = fileURLToPath(new URL("../../adapters/producers/entry.ts", import.meta.url));

/** Kinds of machines as `uname -m` calls them, and as Deno does. */
const TARGETS = {
  x86_64: "x86_64-unknown-linux-gnu",
  aarch64: "aarch64-unknown-linux-gnu",
} as const;

/** Milliseconds for one executable; most of it is the download. */
const PATIENCE = 600_000;

/** What was made. */
export interface CompiledProducer {
  /** The executables, or the one bundle. */
  files: string[];
  /** Why there are no executables, in one sentence. */
  problem?: string;
}

/**
 * Compiles the producer for every kind of machine; where that can't be, copies its bundle.
 *
 * @param folder Where the files go; it is made.
 * @returns What was made.
 * @throws {Error} Where nothing could be written.
 */
export async function compileProducer(folder: string): Promise<CompiledProducer> {
  const files: string[] = [];
  for (const [machine, target] of Object.entries(TARGETS)) {
    const place = `${folder}/linux-${machine}`;
    const path = `${place}/streamrelay-producer`;
    await Deno.mkdir(place, { recursive: true });
    const failure = await compile(path, target);
    if (failure !== undefined) {
      // half a set would be taken for a whole one
      for (const known of Object.keys(TARGETS)) {
        await Deno.remove(`${folder}/linux-${known}`, { recursive: true }).catch(() => {});
      }
      const bundle = `${folder}/streamrelay-producer.mjs`;
      // the committed one: in a closed network deno can't bundle either
      await Deno.copyFile(BUNDLE, bundle);
      return { files: [bundle], problem: failure };
    }
    files.push(path);
  }
  return { files };
}

/** @returns What went wrong. */
async function compile(path: string, target: string): Promise<string | undefined> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["compile", "--quiet", "-A", "--no-prompt", "--target", target, "--output", path, ENTRY],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    signal: AbortSignal.timeout(PATIENCE),
  }).output();
  if (success) return undefined;
  const words = new TextDecoder().decode(stderr);
  const [url] = /https?:\/\/[^\s)]+/.exec(words) ?? [];
  const lines = words.trim().split("\n").map((line) => line.trim()).filter(Boolean);
  // a chain of causes, the last of which tells most
  const last = lines.slice(0, lines.findIndex((line) => /^Stack backtrace/.test(line)) >>> 0)
    .at(-1)?.replace(/^\d+: /, "") ?? "it gave no reason";
  return url === undefined
    ? `deno compile failed for ${target}: ${last}`
    : `Deno's runtime for executables can't be downloaded from ${url} (${last})`;
}

if (import.meta.main) {
  const { files, problem } = await compileProducer(
    Deno.args[0] ?? fileURLToPath(new URL("../../dist", import.meta.url)),
  );
  if (problem === undefined) {
    console.log(`Built ${files.join(" and ")}: name the node's with producer: { path }`);
  } else {
    console.log(
      `No executable was built: ${problem}; built the bundle ${files.join()} instead, which deno or node >= 22 runs on a node: name it with producer: { path }`,
    );
  }
}
