/**
 * The session record: seq 0 of every epoch of an encrypted channel. It brings the salt that the
 * session's key is derived from, and proves with that key what the session continues.
 *
 * @module
 */
import {
  encodeSealed,
  SALT_BYTES,
  type SealedRecord,
  type SessionCipher,
  type SessionKeyParts,
} from "./encryption_v2.ts";
import { StreamError } from "./stream_error.ts";

/** What a session goes on after: the records of an earlier epoch. */
export interface Continues {
  /** The epoch. */
  epoch: number;
  /** How many records it has. */
  count: number;
}

/**
 * Makes the session record.
 *
 * @param cipher The session's.
 * @param parts What the cipher was made of.
 * @param continues What the session goes on after; absent when it starts over.
 * @returns One line of JSON.
 */
export async function sealSessionRecord(
  cipher: SessionCipher,
  parts: Pick<SessionKeyParts, "epoch" | "salt">,
  continues?: Continues,
): Promise<string> {
  const { epoch, salt } = parts;
  const plaintext = JSON.stringify(
    continues ? { continues: { epoch: continues.epoch, count: continues.count } } : {},
  );
  const sealed = await cipher.seal(0, false, plaintext);
  const bytes = new Uint8Array(salt.length + sealed.length);
  bytes.set(salt);
  bytes.set(sealed, salt.length);
  return encodeSealed({ epoch, seq: 0, final: false, bytes });
}

/**
 * The salt in a session record.
 *
 * @param record The record.
 * @returns The salt, which nothing proves before the record was opened with it.
 * @throws {StreamError} `tampered` when the record can't be one.
 */
export function saltOf(record: SealedRecord): Uint8Array<ArrayBuffer> {
  if (record.bytes.length < SALT_BYTES || record.final) {
    throw new StreamError(
      "tampered",
      `The session record of epoch ${record.epoch} can't be read: expected a salt of ${SALT_BYTES} bytes`,
    );
  }
  return record.bytes.slice(0, SALT_BYTES);
}

/**
 * Opens a session record.
 *
 * @param cipher The cipher made with the record's salt.
 * @param record The record.
 * @returns What the session continues, if it does.
 * @throws {StreamError} `decrypt_failed` for another key, another channel, or a record that was changed.
 */
export async function openSessionRecord(
  cipher: SessionCipher,
  record: SealedRecord,
): Promise<Continues | undefined> {
  const plaintext = await cipher.open({ ...record, bytes: record.bytes.slice(SALT_BYTES) });
  if (plaintext === undefined) {
    throw new StreamError(
      "decrypt_failed",
      "Cannot open the stream: the key is another than the producer's, or the session record was changed or is another channel's",
    );
  }
  // whoever sealed it holds the key, and wrote what is written above
  const { continues } = JSON.parse(plaintext) as { continues?: Continues };
  return continues;
}
