/**
 * The keys of a job array: its script holds one key, and each task derives its own from that.
 *
 * @module
 */
import { encodeHex } from "@std/encoding/hex";
import { boundBytes } from "./encryption_v2.ts";
import { parseKey } from "./encryption.ts";

/**
 * The key of one task's stream: HKDF-SHA256(key, info "task", the array's id, the task), 32 bytes.
 *
 * @param key The array's key, see `parseKey`.
 * @param array The array's id, which its channels' names begin with.
 * @param task The task's index.
 * @returns The key, 64 hexadecimal digits.
 * @throws {StreamError} `bad_request` for a key that can't be read.
 * @example
 * ```ts
 * import { taskKey } from "./task_key.ts";
 * import { generateKey } from "./encryption.ts";
 * import { assertNotEquals } from "@std/assert";
 *
 * const key = generateKey();
 * assertNotEquals(await taskKey(key, "a1", 0), await taskKey(key, "a1", 1));
 * ```
 */
export async function taskKey(key: string, array: string, task: number): Promise<string> {
  const base = await crypto.subtle.importKey("raw", parseKey(key), "HKDF", false, ["deriveBits"]);
  const bits = await crypto.subtle.deriveBits(
    {
      name: "HKDF",
      hash: "SHA-256",
      salt: new Uint8Array(),
      info: boundBytes("task", array, task),
    },
    base,
    256,
  );
  return encodeHex(bits);
}
