/**
 * `pipe`: standard input becomes the stream.
 *
 * @module
 */
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import { type JobVerdict, readVerdict } from "./job_verdict.ts";
import { OutputStream } from "./output_stream.ts";
import { endGroup, JOB_SIGNALS } from "./process_group.ts";
import { pause, say, seconds } from "./settings.ts";

/** Options of {@linkcode pipe}. */
export interface PipeOptions {
  /** The file that tells how the program ended. */
  verdict?: string;
  /** The file that holds the program's process group. */
  pid?: string;
  /** Whether the end of input is known to be success. */
  eofIsDone?: boolean;
}

/**
 * Streams standard input.
 *
 * @param options Where to learn how the program ended.
 * @returns The exit code: 0 when the relay has acknowledged the end.
 */
export async function pipe(options: PipeOptions): Promise<number> {
  const { verdict, pid } = options;
  const isOver = () => verdict !== undefined && existsSync(verdict);
  if (verdict !== undefined) {
    for (const signal of JOB_SIGNALS) process.on(signal, () => {});
  }
  const endProgram = async () => {
    while (pid !== undefined && !isOver()) {
      const group = readGroup(pid);
      if (group !== undefined) return await endGroup(group);
      await pause(50);
    }
    output.close();
  };
  const output = new OutputStream(() => void endProgram(), isOver);
  process.stdin.on("data", (bytes: Uint8Array) => output.write(bytes));
  process.stdin.on("error", () => output.close());
  process.stdin.on("end", () => output.close());
  if (verdict !== undefined) void watch(output, isOver);
  try {
    await output.send();
    const ended = verdict === undefined ? undefined : readVerdict(verdict);
    const how: JobVerdict | undefined = ended ??
      (options.eofIsDone || output.cancelled ? { kind: "exit", number: 0, stderr: "" } : undefined);
    if (how === undefined) {
      await output.leave();
      say(
        "the input ended, but nothing told whether the program succeeded; use run -- command, or --eof-is-done",
      );
      return 1;
    }
    await output.finish(how);
    return 0;
  } catch (error) {
    say(`streaming stopped: ${error instanceof Error ? error.message : error}`);
    // The program must not be held up or killed for it: the rest is read and dropped.
    while (!output.ended) await pause(50);
    return 1;
  }
}

/** A child of the program that lives on may hold the pipe open after the program's end. */
async function watch(output: OutputStream, isOver: () => boolean): Promise<void> {
  while (!isOver() && !output.ended) await pause(200);
  await pause(seconds("DRAIN", 2) * 1000);
  output.close();
}

function readGroup(path: string): number | undefined {
  try {
    const group = Number(readFileSync(path, "utf8"));
    return group > 1 ? group : undefined;
  } catch {
    return undefined;
  }
}
