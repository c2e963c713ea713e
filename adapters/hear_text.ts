/** @module */

/**
 * Reads what a program writes, as text, while it writes it.
 *
 * @param from Its output.
 * @param heard Gets the pieces; a character is never split.
 */
export async function hearText(
  from: ReadableStream<Uint8Array>,
  heard: (text: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of from) heard(decoder.decode(chunk, { stream: true }));
}
