/**
 * Where PBS puts a job's output.
 *
 * @module
 */
import { parseDirectives } from "./directives.ts";

/**
 * The path of a job's output file, as far as it can be told from here.
 *
 * @param jobId The job.
 * @param config Options, which win.
 * @param script The script's `#PBS` lines, and its name.
 * @param folder Where the job is submitted from.
 * @returns A path, absolute where the folder is; `undefined` for one that only PBS can tell.
 * @example
 * ```ts
 * import { pbsOutput } from "./pbs_output.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(pbsOutput("7.server", {}, { name: "infer.sh" }, "/home/u"), "/home/u/infer.sh.o7");
 * ```
 */
export function pbsOutput(
  jobId: string,
  config: { output?: string; name?: string },
  script: { directives?: readonly string[]; name: string },
  folder: string,
): string | undefined {
  const said = parseDirectives([...script.directives ?? []]);
  const find = (name: string) => said.findLast((option) => option.name === name)?.value;
  const number = jobId.split(".")[0];
  const path = (config.output ?? find("o"))?.replace(/^[\w.-]+:/, "") ??
    `${config.name ?? find("N") ?? script.name}.o${number}`;
  // "$PBS_JOBID", "^array_index^"
  if (/[$^]/.test(path)) return undefined;
  const file = path.endsWith("/") ? `${path}${jobId}.OU` : path;
  return file.startsWith("/") || folder === "" ? file : `${folder}/${file}`;
}
