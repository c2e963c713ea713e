/**
 * The encrypted input of a job: one blob, of which the relay learns the length only.
 *
 * @module
 */
import { boundBytes, deriveKey } from "./encryption_v2.ts";
import { StreamError } from "./stream_error.ts";

const NONCE_BYTES = 12;

/**
 * Encrypts an input: AES-256-GCM under HKDF-SHA256(key, info "input", channel), the random nonce first.
 *
 * @param key The stream's key, see `parseKey`.
 * @param channel The channel's id.
 * @param input The input.
 * @returns Nonce, ciphertext and tag.
 * @throws {StreamError} `bad_request` for a key that can't be read.
 * @example
 * ```ts
 * import { openInput, sealInput } from "./sealed_input.ts";
 * import { generateKey } from "./encryption.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const key = generateKey();
 * const sealed = await sealInput(key, "c1", new TextEncoder().encode("Tell me a story"));
 * assertEquals(new TextDecoder().decode(await openInput(key, "c1", sealed)), "Tell me a story");
 * ```
 */
export async function sealInput(
  key: string,
  channel: string,
  input: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const sealed = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv },
    await inputKey(key, channel),
    input,
  );
  const blob = new Uint8Array(NONCE_BYTES + sealed.byteLength);
  blob.set(iv);
  blob.set(new Uint8Array(sealed), NONCE_BYTES);
  return blob;
}

/**
 * Decrypts an input.
 *
 * @param key The stream's key, see `parseKey`.
 * @param channel The channel's id.
 * @param blob What {@linkcode sealInput} gave.
 * @returns The input.
 * @throws {StreamError} `decrypt_failed` for another key, another channel, or a blob that was changed or
 * never encrypted.
 * @example
 * ```ts
 * import { openInput, sealInput } from "./sealed_input.ts";
 * import { generateKey } from "./encryption.ts";
 * import { StreamError } from "./stream_error.ts";
 * import { assertRejects } from "@std/assert";
 *
 * const sealed = await sealInput(generateKey(), "c1", new TextEncoder().encode("Hi"));
 * await assertRejects(() => openInput(generateKey(), "c1", sealed), StreamError, "another key");
 * ```
 */
export async function openInput(
  key: string,
  channel: string,
  blob: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const derived = await inputKey(key, channel);
  try {
    const plain = await crypto.subtle.decrypt(
      { name: "AES-GCM", iv: blob.subarray(0, NONCE_BYTES) },
      derived,
      blob.subarray(NONCE_BYTES),
    );
    return new Uint8Array(plain);
  } catch (cause) {
    throw new StreamError(
      "decrypt_failed",
      "Cannot decrypt input: it was changed, is another channel's, or was sealed with another key",
      { cause },
    );
  }
}

function inputKey(key: string, channel: string): Promise<CryptoKey> {
  return deriveKey(key, new Uint8Array(), boundBytes("input", channel));
}
