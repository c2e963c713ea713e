/** @module */
import { bytesOf } from "./bytes_of.ts";

/** Few enough for the arguments of one call on every engine. */
const CHUNK = 0x2000;

/**
 * Bytes as base64 with padding (RFC 4648, section 4).
 *
 * @param data Bytes, a buffer, or a text that is taken as UTF-8.
 * @returns The encoded text.
 *
 * @example
 * ```ts
 * import { encodeBase64 } from "@std/encoding/base64";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(encodeBase64("foobar"), "Zm9vYmFy");
 * ```
 */
export function encodeBase64(data: ArrayBuffer | Uint8Array | string): string {
  const bytes = bytesOf(data);
  let binary = "";
  for (let i = 0; i < bytes.length; i += CHUNK) {
    binary += String.fromCharCode(...bytes.subarray(i, i + CHUNK));
  }
  return btoa(binary);
}

/**
 * The bytes of a base64 text.
 *
 * @param b64 The encoded text.
 * @returns Its bytes.
 * @throws {DOMException} if it isn't base64.
 *
 * @example
 * ```ts
 * import { decodeBase64 } from "@std/encoding/base64";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new TextDecoder().decode(decodeBase64("Zm9vYmFy")), "foobar");
 * ```
 */
export function decodeBase64(b64: string): Uint8Array<ArrayBuffer> {
  const binary = atob(b64);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
