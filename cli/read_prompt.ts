/** @module */
import { whyMissing } from "../adapters/why_missing.ts";
import { say } from "./say.ts";
import { UsageError } from "./usage_error.ts";

/**
 * The prompt: from a file, from stdin, or from the person at the terminal.
 *
 * @param file The file; `-` is stdin, and so is none.
 * @returns Its bytes; `undefined` for an empty one.
 * @throws {UsageError} For a file that can't be read.
 */
export async function readPrompt(
  file: string | undefined,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const bytes = file === undefined || file === "-" ? await fromStdin() : await fromFile(file);
  return bytes.length > 0 ? bytes : undefined;
}

async function fromStdin(): Promise<Uint8Array<ArrayBuffer>> {
  if (Deno.stdin.isTerminal()) say("Type the prompt, then Ctrl-D:");
  return new Uint8Array(await new Response(Deno.stdin.readable).arrayBuffer());
}

async function fromFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    const why = whyMissing(error);
    throw new UsageError(
      `Cannot read --prompt-file ${path}: ${why}, expected a file with the prompt`,
    );
  }
}
