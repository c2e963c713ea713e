/** @module */
import { bytesOf } from "./bytes_of.ts";

/**
 * Bytes as lower-case hexadecimal digits.
 *
 * @param src Bytes, a buffer, or a text that is taken as UTF-8.
 * @returns Two digits a byte.
 *
 * @example
 * ```ts
 * import { encodeHex } from "@std/encoding/hex";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(encodeHex("abc"), "616263");
 * ```
 */
export function encodeHex(src: ArrayBuffer | Uint8Array | string): string {
  return Array.from(bytesOf(src), (byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

/**
 * The bytes of a hexadecimal text of either case.
 *
 * @param src The digits.
 * @returns One byte for two of them.
 * @throws {RangeError} if their number is odd.
 * @throws {TypeError} if one of them is no digit.
 *
 * @example
 * ```ts
 * import { decodeHex } from "@std/encoding/hex";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(decodeHex("616263"), new Uint8Array([97, 98, 99]));
 * ```
 */
export function decodeHex(src: string): Uint8Array<ArrayBuffer> {
  if (src.length % 2 !== 0) {
    throw new RangeError(
      `Cannot decode the hex string: its length ${src.length} is odd`,
    );
  }
  const bytes = new Uint8Array(src.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    const pair = src.slice(2 * i, 2 * i + 2);
    if (!/^[0-9a-f]{2}$/i.test(pair)) {
      throw new TypeError(
        `Cannot decode the hex string: invalid digits "${pair}" at ${2 * i}`,
      );
    }
    bytes[i] = parseInt(pair, 16);
  }
  return bytes;
}
