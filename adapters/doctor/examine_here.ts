/** @module */
import { StreamError } from "../../stream/stream_error.ts";
import { type NodeFacts, readNodeFacts } from "./node_facts.ts";
import { nodeScript, type NodeScriptOptions } from "./node_script.ts";

/** What {@linkcode examineHere} works with. */
export interface ExamineHereOptions extends NodeScriptOptions {
  /** The relay. */
  url: string;
  /** A channel to try things on, and what may write there; nothing is streamed without. */
  channel?: { id: string; token: string };
}

/**
 * Finds out what a producer would find on this machine.
 *
 * @param options The relay, a channel, producers.
 * @returns What was found.
 * @throws {StreamError} `unsupported` where there is no bash.
 */
export async function examineHere(options: ExamineHereOptions): Promise<NodeFacts> {
  const { url, channel } = options;
  const path = await Deno.makeTempFile({ prefix: "streamrelay-doctor-" });
  try {
    await Deno.writeTextFile(path, nodeScript(options));
    const { stdout, stderr } = await new Deno.Command("bash", {
      args: [path],
      env: {
        STREAMRELAY_URL: url,
        STREAMRELAY_CHANNEL: channel?.id ?? "",
        STREAMRELAY_TOKEN: channel?.token ?? "",
        STREAMRELAY_KEY: "",
        PATH: ownPath(),
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output().catch((cause) => {
      throw new StreamError("unsupported", "Cannot examine this machine: bash was not found", {
        cause,
      });
    });
    const facts = readNodeFacts(new TextDecoder().decode(stdout));
    if (facts?.complete) return facts;
    const words = new TextDecoder().decode(stderr).trim().split("\n").at(-1);
    throw new StreamError(
      "unsupported",
      `Cannot examine this machine: ${words || "the checks broke off without a reason"}`,
    );
  } finally {
    await Deno.remove(path).catch(() => {});
  }
}

/** Deno gives its children a `node` where there is none; a job has no such thing. */
function ownPath(): string {
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  return folders.filter((folder) => !folder.endsWith("/node_compat_bin")).join(":");
}
