/**
 * The one kind of pickle that has to be understood: endpoints older than 3.6 return a text as one.
 *
 * @module
 */
import { decodeBase64 } from "@std/encoding/base64";
import { StreamError } from "../../stream/stream_error.ts";

const PROTO = 0x80;
const FRAME = 0x95;
const SHORT_BINUNICODE = 0x8c;
const BINUNICODE = 0x58;
const BINUNICODE8 = 0x8d;
const MEMOIZE = 0x94;
const STOP = 0x2e;

/**
 * Reads a pickle that is one text and nothing else. Nothing in it is run.
 *
 * @param base64 The pickle, as it stands behind `00\n`.
 * @returns The text.
 * @throws {StreamError} `upstream` for any other pickle.
 * @example
 * ```ts
 * import { pickledText } from "./pickled_text.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(pickledText("gASVCQAAAAAAAACMBWjDqWxslC4="), "héll");
 * ```
 */
export function pickledText(base64: string): string {
  const bytes = decodeBase64(base64.replace(/\s/g, ""));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    let at = 0;
    if (bytes[at] === PROTO) at += 2;
    if (bytes[at] === FRAME) at += 9;
    const kind = bytes[at++];
    let length: number;
    if (kind === SHORT_BINUNICODE) {
      length = bytes[at];
      at += 1;
    } else if (kind === BINUNICODE) {
      length = view.getUint32(at, true);
      at += 4;
    } else if (kind === BINUNICODE8) {
      length = Number(view.getBigUint64(at, true));
      at += 8;
    } else throw new Error("no text");
    const text = bytes.subarray(at, at + length);
    at += length;
    if (bytes[at] === MEMOIZE) at++;
    // without this an object would pass for the first text in it
    if (bytes[at] !== STOP || at + 1 !== bytes.length) throw new Error("more than a text");
    return new TextDecoder("utf-8", { fatal: true }).decode(text);
  } catch (cause) {
    throw new StreamError(
      "upstream",
      "Cannot read result of a Globus Compute task: it is a pickled object, expected JSON or a pickled text",
      { cause },
    );
  }
}
