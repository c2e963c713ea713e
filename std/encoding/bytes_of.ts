/** @module */

/**
 * What the encoders take, as bytes.
 *
 * @param data Bytes, a buffer, or a text that is taken as UTF-8.
 * @returns Its bytes, not copied where they are bytes already.
 */
export function bytesOf(data: ArrayBuffer | Uint8Array | string): Uint8Array {
  if (typeof data === "string") return new TextEncoder().encode(data);
  return data instanceof Uint8Array ? data : new Uint8Array(data);
}
