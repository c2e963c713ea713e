/** Running a producer as a job's wrapper does. @module */
import type { OpenChannel } from "./open_channel.ts";
import type { ProducerKind } from "./producer_kinds.ts";

/** A producer at work. */
export interface RunningProducer {
  /** Writes to its standard input. */
  write(bytes: Uint8Array | string): Promise<void>;
  /** Writes the verdict file, then closes its standard input. */
  conclude(verdict?: string): Promise<void>;
  /** What it has printed to stderr so far. */
  said(): string;
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
  let said = "";
  const listening = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) said += text;
  })();
  const ended = (async () => {
    const [stdout, { code }] = await Promise.all([
      new Response(child.stdout).text(),
      child.status,
      listening,
    ]);
    await Deno.remove(folder, { recursive: true });
    return { code, stdout, stderr: said };
  })();
  return {
    folder,
    said: () => said,
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
