/**
 * The prompt, as the bytes that are put to the relay.
 *
 * @module
 */
import { StreamError } from "../stream/stream_error.ts";

/** What a job gets on its standard input. */
export type Input = string | Uint8Array | ReadableStream<Uint8Array>;

/** The most that a relay takes as a channel's input, in bytes. */
export const MAX_INPUT = 16 * 1024 * 1024;

/**
 * Gathers an input.
 *
 * @param input Text, bytes, or a stream of bytes.
 * @param limit The most bytes; 16 MiB unless given.
 * @returns The bytes.
 * @throws {StreamError} `too_large` beyond the limit.
 * @example
 * ```ts
 * import { inputBytes } from "./input_bytes.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await inputBytes("é"), new Uint8Array([0xc3, 0xa9]));
 * ```
 */
export async function inputBytes(
  input: Input,
  limit: number = MAX_INPUT,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const add = (chunk: Uint8Array) => {
    size += chunk.length;
    if (size > limit) {
      throw new StreamError(
        "too_large",
        `Cannot send input: it is larger than ${limit} bytes, expected a prompt; put data into a file that the job reads`,
      );
    }
    chunks.push(chunk);
  };
  if (typeof input === "string") add(new TextEncoder().encode(input));
  else if (input instanceof Uint8Array) add(input);
  else for await (const chunk of input) add(chunk);

  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
