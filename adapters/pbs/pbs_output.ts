/**
 * Where PBS puts a job's output.
 *
 * @module
 */
import { parseDirectives } from "../directives.ts";

/**
 * The path of a job's output file, as far as it can be told from here.
 *
 * @param jobId The job.
 * @param config Options, which win.
 * @param script The script's `#PBS` lines, and its name.
 * @param folder Where the job is submitted from.
 * @param kind Which of its files; the output unless given.
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
  config: { output?: string; error?: string; name?: string },
  script: { directives?: readonly string[]; name: string },
  folder: string,
  kind: "output" | "error" = "output",
): string | undefined {
  const said = parseDirectives([...script.directives ?? []]);
  const find = (name: string) => said.findLast((option) => option.name === name)?.value;
  const number = jobId.split(".")[0];
  const given = (config[kind] ?? find(kind[0]))?.replace(/^[\w.-]+:/, "");
  // errors go to the output file unless something else is asked for
  if (given === undefined && kind === "error") return undefined;
  const path = given ?? `${config.name ?? find("N") ?? script.name}.o${number}`;
  // "$PBS_JOBID", "^array_index^"
  if (/[$^]/.test(path)) return undefined;
  const file = path.endsWith("/") ? `${path}${jobId}.${kind === "output" ? "OU" : "ER"}` : path;
  return file.startsWith("/") || folder === "" ? file : `${folder}/${file}`;
}
