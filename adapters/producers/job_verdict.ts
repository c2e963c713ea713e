/**
 * How a job's program ended, as the job's wrapper writes it to a file for the producer.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";

/** Most bytes of stderr that are kept. */
export const STDERR_TAIL = 8192;

/** How a program ended. */
export interface JobVerdict {
  /** By itself, or by a signal. */
  kind: "exit" | "signal";
  /** Its exit code, or the signal's number. */
  number: number;
  /** The end of its stderr. */
  stderr: string;
}

/**
 * Reads a verdict file: `exit N` or `signal N`, then the end of the program's stderr.
 *
 * @param path The file.
 * @returns The verdict; `undefined` where there is none.
 */
export function readVerdict(path: string): JobVerdict | undefined {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch {
    return undefined;
  }
  const lf = bytes.indexOf(10);
  const first = new TextDecoder().decode(lf < 0 ? bytes : bytes.subarray(0, lf));
  const match = /^(exit|signal) (\d+)$/.exec(first.trim());
  if (!match) return undefined;
  const rest = lf < 0 ? new Uint8Array() : bytes.subarray(lf + 1);
  return {
    kind: match[1] as JobVerdict["kind"],
    number: Number(match[2]),
    stderr: new TextDecoder().decode(rest.subarray(-STDERR_TAIL)),
  };
}

/**
 * The failure that a verdict is, in the form `RelayProducer.fail` takes.
 *
 * @param verdict How the program ended.
 * @returns The failure; `undefined` for exit code 0.
 */
export function failureOf(verdict: JobVerdict):
  | { code: string; message: string; details: Record<string, unknown> }
  | undefined {
  const { kind, number, stderr } = verdict;
  if (kind === "exit" && number === 0) return undefined;
  const last = stderr.split("\n").findLast((line) => line.trim() !== "")?.trim();
  const what = kind === "exit"
    ? `The program ended with exit code ${number}`
    : `The program was killed by signal ${number}`;
  return {
    code: "job_failed",
    message: last ? `${what}: ${last.slice(0, 500)}` : what,
    details: {
      [kind === "exit" ? "exitCode" : "signal"]: number,
      stderr,
      node: hostname(),
    },
  };
}
