/** Running a producer as a job's wrapper does. @module */
import type { OpenChannel } from "./open_channel.ts";
import type { ProducerKind } from "./producer_kinds.ts";

/** A producer at work. */
export interface RunningProducer {
  /** Writes to its standard input. */
  write(bytes: Uint8Array | string): Promise<void>;
  /** Writes the verdict file, then closes its standard input. */
  conclude(verdict?: string): Promise<void>;
  /** Exit code and what it printed. */
  ended: Promise<{ code: number; stdout: string; stderr: string }>;
  /** A folder of its own. */
  folder: string;
}

/**
 * Starts a producer.
 *
 * @param kind Which one.
 * @param open The channel.
 * @param args What it is to do; `%` stands for its folder.
 * @param env More environment.
 */
export async function runProducer(
  kind: ProducerKind,
  open: OpenChannel,
  args: string[],
  env: Record<string, string> = {},
): Promise<RunningProducer> {
  const folder = await Deno.makeTempDir();
  const [program, ...first] = kind.command;
  const child = new Deno.Command(program, {
    args: [...first, ...args.map((arg) => arg.replace("%", folder))],
    env: { ...open.env, ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  const ended = child.output().then(async ({ code, stdout, stderr }) => {
    await Deno.remove(folder, { recursive: true });
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, stdout: text(stdout), stderr: text(stderr) };
  });
  return {
    folder,
    ended,
    async write(bytes) {
      await writer.write(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes);
    },
    async conclude(verdict) {
      if (verdict !== undefined) {
        await Deno.writeTextFile(`${folder}/new`, verdict);
        await Deno.rename(`${folder}/new`, `${folder}/verdict`);
      }
      await writer.close();
    },
  };
}
