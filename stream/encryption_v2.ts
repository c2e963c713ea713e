/**
 * End-to-end encryption v2, the bytes: what a session's key is derived from, what a record's nonce and
 * additional data are made of, and the record around them. `docs/protocol.md` holds the grammar,
 * `tests/vectors/encryption_v2.json` examples.
 *
 * The order of records, and what may follow what, is `sealing_session.ts` and `opening_session.ts`.
 *
 * @module
 */
import { decodeBase64, encodeBase64 } from "@std/encoding/base64";
import { parseKey } from "./encryption.ts";
import { StreamError } from "./stream_error.ts";

/** Bytes of a session's salt. */
export const SALT_BYTES = 32;
const TAG_BYTES = 16;
/** The version, in whatever is derived or authenticated. */
const LABEL = "streamrelay enc2";
const utf8 = new TextEncoder();

/** What a record says of its place; all of it is authenticated. */
export interface SealedHeader {
  /** Epoch of the producer's claim, from 1. */
  epoch: number;
  /** Seq of the record in its epoch, from 0. */
  seq: number;
  /** Whether it is its epoch's last. */
  final: boolean;
}

/** A record taken apart; nothing of it is proven yet. */
export interface SealedRecord extends SealedHeader {
  /** Ciphertext and tag; in a session record, the salt before them. */
  bytes: Uint8Array<ArrayBuffer>;
}

/** What a session's key is made of. */
export interface SessionKeyParts {
  /** The stream's key, see `parseKey`. */
  key: string;
  /** The channel's id. */
  channel: string;
  /** Epoch of the producer's claim. */
  epoch: number;
  /** The session's random salt of {@linkcode SALT_BYTES} bytes. */
  salt: Uint8Array<ArrayBuffer>;
}

/**
 * Derives a key from the stream's own: HKDF-SHA256.
 *
 * @param key The stream's key, see `parseKey`.
 * @param salt The salt; none for the input.
 * @param info What the key is for.
 * @returns An AES-256-GCM key.
 * @throws {StreamError} `bad_request` for a key that can't be read.
 */
export async function deriveKey(
  key: string,
  salt: Uint8Array<ArrayBuffer>,
  info: Uint8Array<ArrayBuffer>,
): Promise<CryptoKey> {
  const base = await crypto.subtle.importKey("raw", parseKey(key), "HKDF", false, ["deriveKey"]);
  return await crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt, info },
    base,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
}

/**
 * The bytes that bind something to a use and a channel: the label, a space, the use, a zero byte, the
 * channel's length in two bytes, and the channel.
 *
 * @param use `session`, `record`, `input` or `task`.
 * @param channel The channel's id.
 * @param numbers Appended as eight bytes each, big-endian.
 * @returns The bytes.
 */
export function boundBytes(
  use: string,
  channel: string,
  ...numbers: number[]
): Uint8Array<ArrayBuffer> {
  const label = utf8.encode(`${LABEL} ${use}\0`);
  const name = utf8.encode(channel);
  const bytes = new Uint8Array(label.length + 2 + name.length + 8 * numbers.length);
  const view = new DataView(bytes.buffer);
  bytes.set(label);
  view.setUint16(label.length, name.length);
  bytes.set(name, label.length + 2);
  let at = label.length + 2 + name.length;
  for (const number of numbers) {
    view.setBigUint64(at, BigInt(number));
    at += 8;
  }
  return bytes;
}

/**
 * The key of one session: of one producer's claim.
 *
 * @param parts Key, channel, epoch and salt.
 * @returns An AES-256-GCM key.
 * @throws {StreamError} `bad_request` for a key that can't be read.
 */
export function deriveSessionKey(parts: SessionKeyParts): Promise<CryptoKey> {
  const { key, channel, epoch, salt } = parts;
  return deriveKey(key, salt, boundBytes("session", channel, epoch));
}

/**
 * Seals and opens the records of one session.
 *
 * @example
 * ```ts
 * import { SessionCipher } from "./encryption_v2.ts";
 * import { generateKey } from "./encryption.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const salt = crypto.getRandomValues(new Uint8Array(32));
 * const cipher = new SessionCipher({ key: generateKey(), channel: "c1", epoch: 1, salt });
 * const bytes = await cipher.seal(1, false, "Hello");
 * assertEquals(await cipher.open({ epoch: 1, seq: 1, final: false, bytes }), "Hello");
 * ```
 */
export class SessionCipher {
  #key: Promise<CryptoKey>;
  /** The additional data, of which only the last 9 bytes, seq and final, change. */
  #aad: Uint8Array<ArrayBuffer>;

  /** @param parts Key, channel, epoch and salt. */
  constructor(parts: SessionKeyParts) {
    this.#key = deriveSessionKey(parts);
    // whoever uses it is told; until then a key that can't be read is nobody's failure
    this.#key.catch(() => {});
    this.#aad = boundBytes("record", parts.channel, parts.epoch, 0);
  }

  /**
   * Seals a record.
   *
   * @param seq Its seq; never twice in one session, because the nonce is made of it.
   * @param final Whether it is the last.
   * @param plaintext What it holds.
   * @returns Ciphertext and tag.
   */
  async seal(seq: number, final: boolean, plaintext: string): Promise<Uint8Array<ArrayBuffer>> {
    const sealed = await crypto.subtle.encrypt(
      this.#algorithm(seq, final),
      await this.#key,
      utf8.encode(plaintext),
    );
    return new Uint8Array(sealed);
  }

  /**
   * Opens a record.
   *
   * @param record Its place, and ciphertext and tag.
   * @returns What it holds; `undefined` when it was not sealed by this session at this place.
   * @throws {StreamError} `bad_request` for a key that can't be read.
   */
  async open({ seq, final, bytes }: SealedRecord): Promise<string | undefined> {
    const key = await this.#key;
    if (bytes.length < TAG_BYTES) return undefined;
    try {
      const plain = await crypto.subtle.decrypt(this.#algorithm(seq, final), key, bytes);
      return new TextDecoder("utf-8", { fatal: true }).decode(plain);
    } catch {
      return undefined;
    }
  }

  #algorithm(seq: number, final: boolean): AesGcmParams {
    const iv = new Uint8Array(12);
    new DataView(iv.buffer).setBigUint64(4, BigInt(seq));
    const aad = new Uint8Array(this.#aad.length + 1);
    aad.set(this.#aad);
    aad.set(iv.subarray(4), aad.length - 9);
    aad[aad.length - 1] = final ? 1 : 0;
    return { name: "AES-GCM", iv, additionalData: aad };
  }
}

/**
 * The line of a sealed record.
 *
 * @param record Its place and bytes.
 * @returns One line of JSON.
 * @example
 * ```ts
 * import { encodeSealed } from "./encryption_v2.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   encodeSealed({ epoch: 1, seq: 2, final: false, bytes: new Uint8Array([1]) }),
 *   '{"type":"enc2","e":1,"s":2,"f":0,"d":"AQ=="}',
 * );
 * ```
 */
export function encodeSealed({ epoch, seq, final, bytes }: SealedRecord): string {
  return `{"type":"enc2","e":${epoch},"s":${seq},"f":${final ? 1 : 0},"d":"${
    encodeBase64(bytes)
  }"}`;
}

/**
 * Takes a parsed record apart.
 *
 * @param value The parsed JSON.
 * @returns Its place and bytes; `undefined` when it is of another type than `enc2`.
 * @throws {StreamError} `tampered` for an `enc2` whose members are none.
 * @example
 * ```ts
 * import { decodeSealed } from "./encryption_v2.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(decodeSealed({ type: "enc2", e: 1, s: 2, f: 1, d: "AQ==" })?.seq, 2);
 * assertEquals(decodeSealed({ type: "done" }), undefined);
 * ```
 */
export function decodeSealed(value: unknown): SealedRecord | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { type, e, s, f, d } = value as Record<string, unknown>;
  if (type !== "enc2") return undefined;
  if (isCount(e, 1) && isCount(s, 0) && (f === 0 || f === 1) && typeof d === "string") {
    try {
      return { epoch: e, seq: s, final: f === 1, bytes: new Uint8Array(decodeBase64(d)) };
    } catch {
      // told below
    }
  }
  throw new StreamError(
    "tampered",
    "An encrypted record can't be read: expected an epoch from 1, a seq from 0, f of 0 or 1, and base64",
  );
}

function isCount(value: unknown, least: number): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= least;
}
