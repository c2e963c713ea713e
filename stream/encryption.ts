/**
 * End-to-end encryption of the v1 face, wire-compatible with the Python package `streamrelay`:
 * `{"type":"enc","d":base64(nonce ‖ ciphertext ‖ tag)}`, AES-256-GCM, a random 12-byte nonce a message.
 *
 * It hides content from the relay. It does not stop a relay that drops, repeats or reorders messages.
 *
 * @module
 */
import { decodeBase64, encodeBase64 } from "@std/encoding/base64";
import { decodeHex, encodeHex } from "@std/encoding/hex";
import { StreamError } from "./stream_error.ts";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const imported = new Map<string, Promise<CryptoKey>>();

/**
 * A new random AES-256 key.
 *
 * @returns 64 hexadecimal digits, as the Python package's `generate_key()` gives.
 * @example
 * ```ts
 * import { generateKey } from "./encryption.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(generateKey().length, 64);
 * ```
 */
export function generateKey(): string {
  return encodeHex(crypto.getRandomValues(new Uint8Array(KEY_BYTES)));
}

/**
 * The 32 bytes of a key as people write it: 64 hexadecimal digits, or base64.
 *
 * @param key The text.
 * @returns The bytes.
 * @throws {StreamError} `bad_request` when it is neither; the text itself is never in the message.
 * @example
 * ```ts
 * import { generateKey, parseKey } from "./encryption.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseKey(generateKey()).length, 32);
 * ```
 */
export function parseKey(key: string): Uint8Array<ArrayBuffer> {
  const text = key.trim();
  if (/^[0-9a-fA-F]{64}$/.test(text)) return new Uint8Array(decodeHex(text));
  try {
    const bytes = new Uint8Array(
      decodeBase64(text.replace(/-/g, "+").replace(/_/g, "/")),
    );
    if (bytes.length === KEY_BYTES) return bytes;
  } catch {
    // told below, together with a wrong length
  }
  throw new StreamError(
    "bad_request",
    `Cannot read encryption key: expected 64 hexadecimal digits, or ${KEY_BYTES} bytes in base64`,
  );
}

/**
 * Encrypts one v1 message.
 *
 * @param key The key, see {@linkcode parseKey}.
 * @param plaintext The message: a JSON text.
 * @returns The message to send.
 * @throws {StreamError} `bad_request` for a key that cannot be read.
 * @example
 * ```ts
 * import { decryptMessage, encryptMessage, generateKey } from "./encryption.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const key = generateKey();
 * assertEquals(await decryptMessage(key, await encryptMessage(key, '{"a":1}')), '{"a":1}');
 * ```
 */
export async function encryptMessage(
  key: string,
  plaintext: string,
): Promise<string> {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const sealed = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv: nonce },
    await importKey(key),
    new TextEncoder().encode(plaintext),
  );
  const blob = new Uint8Array(NONCE_BYTES + sealed.byteLength);
  blob.set(nonce);
  blob.set(new Uint8Array(sealed), NONCE_BYTES);
  return JSON.stringify({ type: "enc", d: encodeBase64(blob) });
}

/**
 * Decrypts one v1 message. Unlike the Python package's, it never lets plaintext through: with a key
 * set, a message that is not encrypted is refused, else a relay could put in words of its own.
 *
 * @param key The key, see {@linkcode parseKey}.
 * @param message The message that came.
 * @returns The JSON text inside.
 * @throws {StreamError} `tampered` for plaintext, `decrypt_failed` for a wrong key or a changed message.
 * @example
 * ```ts
 * import { decryptMessage, generateKey } from "./encryption.ts";
 * import { assertRejects } from "@std/assert";
 *
 * await assertRejects(() => decryptMessage(generateKey(), '{"type":"token","content":"forged"}'));
 * ```
 */
export async function decryptMessage(
  key: string,
  message: string,
): Promise<string> {
  const blob = sealedBytes(message);
  if (blob === undefined) {
    throw new StreamError(
      "tampered",
      "A message came in plaintext although a key is set: expected only encrypted ones",
    );
  }
  if (blob.length < NONCE_BYTES + TAG_BYTES) {
    throw new StreamError(
      "decrypt_failed",
      "Cannot decrypt message: it is shorter than its tag",
    );
  }
  try {
    const plain = await crypto.subtle.decrypt(
      { name: "AES-GCM", iv: blob.subarray(0, NONCE_BYTES) },
      await importKey(key),
      blob.subarray(NONCE_BYTES),
    );
    return new TextDecoder("utf-8", { fatal: true }).decode(plain);
  } catch (cause) {
    if (cause instanceof StreamError) throw cause;
    throw new StreamError(
      "decrypt_failed",
      "Cannot decrypt message: the key is another than the producer's, or the message was changed",
      { cause },
    );
  }
}

/** The sealed bytes of an `enc` message, or `undefined` for any other. */
function sealedBytes(message: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const value = JSON.parse(message);
    if (value?.type !== "enc" || typeof value.d !== "string") return undefined;
    return new Uint8Array(decodeBase64(value.d));
  } catch {
    return undefined;
  }
}

function importKey(key: string): Promise<CryptoKey> {
  let known = imported.get(key);
  if (known === undefined) {
    const bytes = parseKey(key);
    known = crypto.subtle.importKey("raw", bytes, "AES-GCM", false, [
      "encrypt",
      "decrypt",
    ]);
    // one stream has one key: a handful is enough, and a long-lived process must not collect them
    if (imported.size >= 16) imported.clear();
    imported.set(key, known);
  }
  return known;
}
