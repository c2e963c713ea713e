/** @module */

const encoder = new TextEncoder();

/**
 * Tells the person at the terminal something, on stderr: stdout is the stream's.
 *
 * @param sentence What to say.
 */
export function say(sentence: string): void {
  const bytes = encoder.encode(`streamrelay: ${sentence}\n`);
  try {
    for (let at = 0; at < bytes.length;) {
      at += Deno.stderr.writeSync(bytes.subarray(at));
    }
  } catch {
    // nobody listens any more
  }
}
