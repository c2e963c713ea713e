/**
 * Reads Server-Sent Events out of a byte stream, however it was cut: in the
 * middle of a character, of a line end, of an event.
 *
 * @module
 */

/** The most characters one event may have, so that no server can fill memory. */
const LONGEST_EVENT = 1 << 20;

/** The `data` of each event; comments and other fields are left out. */
export async function* eventData(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<string> {
  let data: string[] = [];
  let size = 0;
  for await (const line of lines(body)) {
    if (line === "") {
      if (data.length > 0) yield data.join("\n");
      data = [];
      size = 0;
    } else if (line === "data" || line.startsWith("data:")) {
      const value = line.slice("data:".length);
      size += value.length + 1;
      if (size > LONGEST_EVENT) throw new RangeError("an event is too long");
      data.push(value.startsWith(" ") ? value.slice(1) : value);
    }
  }
  // The standard drops an event without its blank line; several servers end
  // with "data: [DONE]" and one newline, and mean it.
  if (data.length > 0) yield data.join("\n");
}

async function* lines(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let line = "";
  let afterCarriageReturn = false;
  for await (const bytes of body) {
    let text = decoder.decode(bytes, { stream: true });
    if (text === "") continue;
    // "\r" already ended the line; a "\n" in the next slice belongs to it.
    if (afterCarriageReturn && text.startsWith("\n")) text = text.slice(1);
    afterCarriageReturn = text.endsWith("\r");
    const parts = text.split(/\r\n|\r|\n/);
    parts[0] = line + parts[0];
    line = parts.pop()!;
    if (line.length > LONGEST_EVENT) throw new RangeError("a line is too long");
    yield* parts;
  }
  line += decoder.decode();
  if (line !== "") yield line;
}
