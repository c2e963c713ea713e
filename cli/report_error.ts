/**
 * How the command line tells of a failure, and which exit code that is.
 *
 * @module
 */
import { CODES, StreamError } from "../stream/mod.ts";
import { say } from "./say.ts";
import { UsageError } from "./usage_error.ts";

/** What a shell shows for a program whose reader has gone. */
const BROKEN_PIPE = 141;
const USAGE = 2;

/**
 * Tells of a failure in one sentence on stderr, followed by the end of the job's stderr where there is
 * one.
 *
 * @param error What was thrown.
 * @returns The exit code: the table's for a {@linkcode StreamError}, 2 for wrong usage.
 */
export function reportError(error: unknown): number {
  // `| head` has seen enough, which is no failure to report
  if (error instanceof Deno.errors.BrokenPipe) return BROKEN_PIPE;
  if (error instanceof UsageError) {
    say(error.message);
    return USAGE;
  }
  const failure = StreamError.from(error);
  say(sentence(failure));
  const { stderr } = failure.details;
  if (typeof stderr === "string" && stderr.trim() !== "") {
    say(`the end of the job's stderr:\n${indented(stderr.trimEnd())}`);
  }
  // a defect of ours is to be reported, and that takes more than a sentence
  if (failure.code === "internal" && Deno.env.get("STREAMRELAY_DEBUG")) {
    console.error(error);
  }
  return CODES[failure.code].exit;
}

function sentence({ code, message }: StreamError): string {
  return `${message.replaceAll(/\s*\n\s*/g, " ").trim()} [${code}]`;
}

function indented(text: string): string {
  return text.split("\n").map((line) => `  | ${line}`).join("\n");
}
