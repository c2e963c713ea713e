/**
 * The user's script, as far as it can be read from here.
 *
 * @module
 */
import { StreamError } from "../stream/stream_error.ts";
import { type DirectivePrefix, readDirectives } from "./directives.ts";
import type { Script } from "./executor_config.ts";
import { type JobFiles, localFiles } from "./job/job_files.ts";
import { whyMissing } from "./why_missing.ts";

/** A script that was looked at. */
export interface ScriptSource {
  /** What goes into the job. */
  program: { text: string } | { remote: string };
  /** Its leading directives; `undefined` where it can't be read from here. */
  directives: string[] | undefined;
  /** What to call it. */
  name: string;
}

/**
 * Reads a script.
 *
 * @param script A path, a text, or the path of a script that is where the job runs.
 * @param prefix What the scheduler's directives begin with; none for none.
 * @param files Where a script that is "where the job runs" may be seen; this machine by default.
 * @returns The script and its directives.
 * @throws {StreamError} `bad_request` where there is no such file.
 * @example
 * ```ts
 * import { readScript } from "./script_source.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const { directives } = await readScript({ text: "#!/bin/bash\n#SBATCH -c 2\necho hi" }, "#SBATCH");
 * assertEquals(directives, ["#SBATCH -c 2"]);
 * ```
 */
export async function readScript(
  script: Script,
  prefix?: DirectivePrefix,
  files: Pick<JobFiles, "head"> = localFiles,
): Promise<ScriptSource> {
  const directives = (text: string) => prefix ? readDirectives(text, prefix).directives : [];
  if (typeof script === "string") {
    const text = await read(script);
    return {
      program: { text },
      directives: directives(text),
      name: nameOf(script),
    };
  }
  if ("text" in script) {
    return {
      program: script,
      directives: directives(script.text),
      name: "streamrelay",
    };
  }
  // what stands there may be seen from here too, on a shared file system
  const text = prefix === undefined ? undefined : await files.head(script.remote);
  return {
    program: script,
    directives: text === undefined ? undefined : directives(text),
    name: nameOf(script.remote),
  };
}

async function read(path: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(path);
  } catch (cause) {
    const why = whyMissing(cause);
    throw new StreamError(
      "bad_request",
      `Cannot read script ${path}: ${why}, expected the path of a script`,
      { cause },
    );
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new StreamError(
      "bad_request",
      `Cannot send script ${path}: it is no UTF-8 text, expected a script; name a program that is on the node as { remote: path }`,
      { cause },
    );
  }
}

function nameOf(path: string): string {
  const name = path.split("/").at(-1)?.replace(/[^\w.+-]/g, "_") ?? "";
  return name || "streamrelay";
}
