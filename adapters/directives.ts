/**
 * The scheduler's directives at the head of a job script: `#SBATCH` and `#PBS` lines.
 *
 * @module
 */
import { StreamError } from "../stream/mod.ts";

/** What a scheduler's directive lines begin with. */
export type DirectivePrefix = "#SBATCH" | "#PBS";

/** One option out of a directive line. */
export interface DirectiveOption {
  /** Its long name where it has one: `partition` for `-p`. */
  name: string;
  /** Its value, unquoted; absent for a flag. */
  value?: string;
  /** The option as it was written, quotes included. */
  text: string;
}

/** Slurm's short options and the long ones that mean the same. */
const longNames: Record<string, string> = {
  A: "account",
  a: "array",
  B: "extra-node-info",
  b: "begin",
  C: "constraint",
  c: "cpus-per-task",
  D: "chdir",
  d: "dependency",
  e: "error",
  F: "nodefile",
  G: "gpus",
  H: "hold",
  i: "input",
  J: "job-name",
  k: "no-kill",
  L: "licenses",
  M: "clusters",
  m: "distribution",
  N: "nodes",
  n: "ntasks",
  O: "overcommit",
  o: "output",
  p: "partition",
  q: "qos",
  Q: "quiet",
  S: "core-spec",
  s: "oversubscribe",
  t: "time",
  v: "verbose",
  W: "wait",
  w: "nodelist",
  x: "exclude",
};

/**
 * The directives at the head of a script, as a scheduler finds them: every line that begins with the
 * prefix before the first line that is neither blank nor a comment.
 *
 * @param text The script.
 * @param prefix What its directives begin with.
 * @returns The directive lines, without line ends, and the script: it is left whole, so that the
 * line numbers in its error messages stay right. Schedulers don't look for directives that far down.
 * @example
 * ```ts
 * import { readDirectives } from "./directives.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const script = "#!/bin/bash\n#SBATCH --gres=gpu:1\necho hi\n#SBATCH --late\n";
 * assertEquals(readDirectives(script, "#SBATCH").directives, ["#SBATCH --gres=gpu:1"]);
 * ```
 */
export function readDirectives(
  text: string,
  prefix: DirectivePrefix,
): { directives: string[]; body: string } {
  const directives: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const start = line.trimStart();
    if (start !== "" && !start.startsWith("#")) break;
    if (/^\s/.test(line.slice(prefix.length)) && line.startsWith(prefix)) {
      directives.push(line.trimEnd());
    }
  }
  return { directives, body: text };
}

/**
 * The options in directive lines.
 *
 * @param lines Lines as {@linkcode readDirectives} gives them.
 * @returns The options, in their order; what follows a `#` word is a comment.
 * @example
 * ```ts
 * import { parseDirectives } from "./directives.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const [first, second] = parseDirectives(['#SBATCH -p gpu --comment="a b"']);
 * assertEquals(first, { name: "partition", value: "gpu", text: "-p gpu" });
 * assertEquals(second.value, "a b");
 * ```
 */
export function parseDirectives(lines: string[]): DirectiveOption[] {
  const options: DirectiveOption[] = [];
  for (const line of lines) {
    const pbs = line.startsWith("#PBS");
    const from = options.length;
    for (const word of words(line).slice(1)) {
      if (word.startsWith("#")) break;
      const long = /^--([^=]+)(?:=(.*))?$/s.exec(word);
      const short = /^-([A-Za-z])(.*)$/s.exec(word);
      const last = options.length > from ? options.at(-1) : undefined;
      if (long) {
        options.push(option(long[1], long[2], word));
      } else if (short) {
        const name = pbs ? short[1] : longNames[short[1]] ?? short[1];
        options.push(option(name, short[2] || undefined, word));
      } else if (last) {
        last.value = last.value === undefined ? unquote(word) : `${last.value} ${unquote(word)}`;
        last.text += ` ${word}`;
      }
    }
  }
  return options;
}

/** Refuses a directive that would become two lines of the job script. */
export function assertOneLine(line: string): void {
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  if (!line.startsWith("#") || /[\x00-\x08\x0a-\x1f]/.test(line)) {
    throw new StreamError(
      "bad_request",
      `Cannot write directive ${JSON.stringify(line)}: expected one line that begins with #`,
    );
  }
}

function option(
  name: string,
  value: string | undefined,
  text: string,
): DirectiveOption {
  return value === undefined ? { name, text } : { name, value: unquote(value), text };
}

function words(line: string): string[] {
  return line.match(/(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s"'])+/g) ?? [];
}

function unquote(word: string): string {
  return word.replace(
    /"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/g,
    (_all, double?: string, single?: string, escaped?: string) =>
      double?.replace(/\\(.)/g, "$1") ?? single ?? escaped ?? "",
  );
}
