/** @module */

/**
 * A line that somebody types, or that stands on stdin.
 *
 * @returns The line, without its end; empty where stdin is.
 */
export async function readLine(): Promise<string> {
  let text = "";
  for await (const piece of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (text.includes("\n")) break;
  }
  return text.split("\n")[0].trim();
}
