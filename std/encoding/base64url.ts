/** @module */
import { decodeBase64, encodeBase64 } from "./base64.ts";

/**
 * Bytes as base64url without padding (RFC 4648, section 5).
 *
 * @param data Bytes, a buffer, or a text that is taken as UTF-8.
 * @returns The encoded text.
 *
 * @example
 * ```ts
 * import { encodeBase64Url } from "@std/encoding/base64url";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(encodeBase64Url(new Uint8Array([255, 254])), "__4");
 * ```
 */
export function encodeBase64Url(
  data: ArrayBuffer | Uint8Array | string,
): string {
  return encodeBase64(data)
    .replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/**
 * The bytes of a base64url text, padded or not.
 *
 * @param b64url The encoded text.
 * @returns Its bytes.
 * @throws {TypeError} if it has a character or a length that base64url can't have.
 *
 * @example
 * ```ts
 * import { decodeBase64Url } from "@std/encoding/base64url";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(decodeBase64Url("__4"), new Uint8Array([255, 254]));
 * ```
 */
export function decodeBase64Url(b64url: string): Uint8Array<ArrayBuffer> {
  if (!/^[-_A-Za-z0-9]*={0,2}$/.test(b64url)) {
    throw new TypeError("Cannot decode base64url: invalid character");
  }
  const bare = b64url.replace(/=+$/, "");
  if (bare.length % 4 === 1) {
    throw new TypeError("Cannot decode base64url: invalid length");
  }
  return decodeBase64(bare.replaceAll("-", "+").replaceAll("_", "/"));
}
