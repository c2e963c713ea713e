/** @module */

/**
 * Writes a text to a program's standard input, and closes it. One that refuses, or ends early, does not
 * read it all: its exit code and words tell.
 *
 * @param stdin The program's standard input.
 * @param text The text.
 */
export async function feedText(stdin: WritableStream<Uint8Array>, text: string): Promise<void> {
  const writer = stdin.getWriter();
  try {
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
  } catch {
    // told by how it ends
  }
}
