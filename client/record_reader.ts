/**
 * Events out of record lines, sealed or not.
 *
 * @module
 */
import {
  decryptMessage,
  parseEvent,
  StreamError,
  type StreamEvent,
  toEvent,
} from "../stream/mod.ts";

/**
 * Reads records that need no key.
 *
 * @param text Record lines, joined by LF.
 * @returns Their events.
 * @throws {StreamError} `decrypt_failed` for a sealed record.
 */
export function readRecords(text: string): StreamEvent[] {
  const events: StreamEvent[] = [];
  for (let at = 0; at <= text.length;) {
    let to = text.indexOf("\n", at);
    if (to < 0) to = text.length;
    events.push(readPlain(text.slice(at, to)));
    at = to + 1;
  }
  return events;
}

/**
 * Reads records of a stream that has a key. What is not sealed was not written by the key's holder: it
 * may tell how the job does or that the stream failed, but not that it is complete, and no text.
 *
 * @param text Record lines, joined by LF.
 * @param key The key.
 * @returns Their events.
 * @throws {StreamError} `tampered` for text, data or `done` in plaintext, `decrypt_failed` for a wrong key.
 */
export async function readSealedRecords(
  text: string,
  key: string,
): Promise<StreamEvent[]> {
  return await Promise.all(
    text.split("\n").map((line) => {
      const value = parse(line);
      if (sealedAs(value) === "enc") {
        return decryptMessage(key, line).then(parseEvent);
      }
      if (sealedAs(value) === "enc2") {
        throw new StreamError(
          "decrypt_failed",
          'The stream has encryption v2 and v1 was asked for: expected `encryption: "v2"`',
        );
      }
      const event = toEvent(value);
      if (
        event.type === "error" || event.type === "status" ||
        event.type === "gap"
      ) {
        return event;
      }
      throw new StreamError(
        "tampered",
        `A record of type ${event.type} came in plaintext although a key is set: expected only encrypted ones`,
      );
    }),
  );
}

function readPlain(line: string): StreamEvent {
  const value = parse(line);
  if (sealedAs(value) !== undefined) {
    throw new StreamError(
      "decrypt_failed",
      "The stream is encrypted and no key is set: expected `key` or STREAMRELAY_KEY",
    );
  }
  return toEvent(value);
}

/** The value of a line; a line that is no JSON is a text. */
function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return line;
  }
}

function sealedAs(value: unknown): "enc" | "enc2" | undefined {
  const type = (value as { type?: unknown } | null)?.type;
  return type === "enc" || type === "enc2" ? type : undefined;
}
