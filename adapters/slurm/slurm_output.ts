/**
 * Where Slurm puts a job's output.
 *
 * @module
 */
import { parseDirectives } from "../directives.ts";

/**
 * The path of a job's output file, as far as it can be told from here.
 *
 * @param jobId The job, or a task of an array: `123_4`.
 * @param config Options, which win.
 * @param directives The script's `#SBATCH` lines.
 * @param folder Where the job is submitted from; this process's folder by default.
 * @param kind Which of its files; the output unless given.
 * @returns A path, absolute where the folder is; `undefined` for patterns other than `%j`, `%A`, `%a` and
 * `%%`, for `%j` of an array's task, which only Slurm knows, and where errors go to the output file.
 * @example
 * ```ts
 * import { slurmOutput } from "./slurm_output.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(slurmOutput("7", { workdir: "/home/u" }, []), "/home/u/slurm-7.out");
 * ```
 */
export function slurmOutput(
  jobId: string,
  config: { output?: string; error?: string; workdir?: string },
  directives: readonly string[] = [],
  folder: string = Deno.cwd(),
  kind: "output" | "error" = "output",
): string | undefined {
  const said = parseDirectives([...directives]);
  const find = (name: string) => said.findLast((option) => option.name === name)?.value;
  const [array, task] = jobId.split("_");
  const known: Record<string, string | undefined> = task === undefined
    ? { j: jobId, A: jobId }
    : { A: array, a: task };
  const usual = task === undefined ? "slurm-%j.out" : "slurm-%A_%a.out";
  const pattern = config[kind] ?? find(kind) ?? (kind === "output" ? usual : undefined);
  if (pattern === undefined) return undefined;
  const path = pattern.replace(
    /%(\d*)([jAa%])/g,
    (all, width: string, letter: string) =>
      letter === "%" ? "\0" : known[letter]?.padStart(Number(width) || 0, "0") ?? all,
  );
  if (path.includes("%")) return undefined;
  const plain = path.replaceAll("\0", "%");
  if (plain.startsWith("/")) return plain;
  const within = config.workdir ?? find("chdir") ?? folder;
  return within === "" ? plain : `${within}/${plain}`;
}
