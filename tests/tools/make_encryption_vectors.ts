/**
 * Writes `tests/vectors/encryption_v2.json`: `deno run -A tests/tools/make_encryption_vectors.ts`.
 *
 * Everything in it follows from fixed keys and salts, so that another run writes the same file.
 *
 * @module
 */
import { decodeHex, encodeHex } from "@std/encoding/hex";
import { parseKey } from "../../stream/encryption.ts";
import { boundBytes } from "../../stream/encryption_v2.ts";
import { SealingSession } from "../../stream/sealing_session.ts";
import type { Continues } from "../../stream/session_record.ts";

const KEY = Array.from({ length: 32 }, (_, i) => i.toString(16).padStart(2, "0")).join("");
const OTHER_KEY = "ff".repeat(32);
const TOKENS = ["Hello", " wörld", " 🌍", "\n"].map((content) =>
  JSON.stringify({ type: "token", content })
);
const DONE = '{"type":"done","reason":"completed"}';
const ERROR = '{"type":"error","code":"job_failed","message":"It broke"}';

/** A session written down in full. */
async function session(
  name: string,
  channel: string,
  epoch: number,
  salt: string,
  texts: string[],
  end?: string,
  continues?: Continues,
  key = KEY,
) {
  const sealing = new SealingSession({
    key,
    channel,
    epoch,
    continues,
    salt: new Uint8Array(decodeHex(salt)),
  });
  const plaintexts = [JSON.stringify(continues ? { continues } : {}), ...texts];
  const records = [await sealing.begin()];
  for (const text of texts) records.push(await sealing.seal(text));
  if (end !== undefined) {
    plaintexts.push(`{"count":${records.length + 1}}\n${end}`);
    records.push(await sealing.end(end));
  }
  const info = boundBytes("session", channel, epoch);
  return {
    name,
    key,
    channel,
    epoch,
    salt,
    info: encodeHex(info),
    sessionKey: encodeHex(await derive(key, decodeHex(salt), info)),
    records: records.map((line, seq) => {
      const final = end !== undefined && seq === records.length - 1;
      const nonce = new Uint8Array(12);
      new DataView(nonce.buffer).setBigUint64(4, BigInt(seq));
      const aad = [...boundBytes("record", channel, epoch, seq), final ? 1 : 0];
      return {
        seq,
        final,
        nonce: encodeHex(nonce),
        aad: encodeHex(new Uint8Array(aad)),
        plaintext: plaintexts[seq],
        line,
      };
    }),
  };
}

async function derive(key: string, salt: Uint8Array, info: Uint8Array): Promise<Uint8Array> {
  const base = await crypto.subtle.importKey("raw", parseKey(key), "HKDF", false, ["deriveBits"]);
  const bits = await crypto.subtle.deriveBits(
    {
      name: "HKDF",
      hash: "SHA-256",
      salt: new Uint8Array(salt),
      info: new Uint8Array(info),
    },
    base,
    256,
  );
  return new Uint8Array(bits);
}

async function input(key: string, channel: string, nonce: string, text: string) {
  const info = boundBytes("input", channel);
  const raw = new Uint8Array(await derive(key, new Uint8Array(), info));
  const aes = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt"]);
  const iv = new Uint8Array(decodeHex(nonce));
  const plain = new TextEncoder().encode(text);
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, aes, plain);
  return {
    key,
    channel,
    info: encodeHex(info),
    inputKey: encodeHex(raw),
    text,
    blob: nonce + encodeHex(new Uint8Array(sealed)),
  };
}

const [a, b, c] = ["11", "22", "33"].map((byte) => byte.repeat(32));
const whole = await session(
  "two records, the second of three events",
  "c1",
  1,
  a,
  [
    TOKENS[0],
    TOKENS.slice(1).join("\n"),
  ],
  DONE,
);
const cut = await session("no end", "c1", 1, a, [TOKENS[0]]);
const again = await session("starts over", "c1", 2, b, [TOKENS[1]], DONE);
const on = await session("continues", "c1", 2, c, [TOKENS[1]], DONE, { epoch: 1, count: 2 });
const wrong = await session("continues what isn't there", "c1", 2, c, [TOKENS[1]], DONE, {
  epoch: 1,
  count: 3,
});
const failed = await session("fails", "c1", 1, a, [TOKENS[0]], ERROR);
const far = await session("a late epoch and a long name", "z".repeat(128), 4294967296, b, [
  TOKENS[2],
], DONE);
const elsewhere = await session("another channel", "c2", 1, a, [TOKENS[0]], DONE);
const otherKey = await session(
  "another key",
  "c1",
  1,
  a,
  [TOKENS[0]],
  DONE,
  undefined,
  OTHER_KEY,
);
const sessions = [whole, cut, again, on, wrong, failed, far, elsewhere, otherKey];
const lines = (from: typeof whole) => from.records.map(({ line }) => line);
const change = (line: string, name: string, value: unknown) =>
  JSON.stringify({ ...JSON.parse(line), [name]: value });
const status = '{"type":"status","state":"running","node":"n1"}';

const [w0, w1, w2, w3] = lines(whole);
const streams: { name: string; records: string[]; text?: string; ends?: string; code?: string }[] =
  [
    { name: "whole", records: lines(whole), text: "Hello wörld 🌍\n", ends: "done" },
    {
      name: "a status of the supervisor's between",
      records: [status, w0, w1, status, w2, w3],
      text: "Hello wörld 🌍\n",
      ends: "done",
    },
    { name: "failed", records: lines(failed), text: "Hello", ends: "error" },
    {
      name: "an error of the relay's",
      records: [...lines(cut), '{"type":"error","code":"producer_lost","message":"Gone"}'],
      text: "Hello",
      ends: "error",
    },
    {
      name: "started over",
      records: [...lines(cut), ...lines(again)],
      text: " wörld",
      ends: "done",
    },
    {
      name: "continued",
      records: [...lines(cut), ...lines(on)],
      text: "Hello wörld",
      ends: "done",
    },
    { name: "dropped", records: [w0, w2, w3], code: "tampered" },
    { name: "session record dropped", records: [w1, w2, w3], code: "tampered" },
    { name: "repeated", records: [w0, w1, w1, w2, w3], code: "tampered" },
    { name: "swapped", records: [w0, w2, w1, w3], code: "tampered" },
    { name: "seq changed", records: [w0, change(w2, "s", 1)], code: "tampered" },
    { name: "final set", records: [w0, change(w1, "f", 1)], code: "tampered" },
    { name: "final cleared", records: [w0, w1, w2, change(w3, "f", 0)], code: "tampered" },
    {
      name: "epoch changed",
      records: lines(cut).map((line) => change(line, "e", 2)),
      code: "decrypt_failed",
    },
    {
      name: "a forged byte",
      records: [w0, change(w1, "d", "A" + JSON.parse(w1).d.slice(1))],
      code: "tampered",
    },
    { name: "another channel's", records: lines(elsewhere), code: "decrypt_failed" },
    { name: "another key's", records: lines(otherKey), code: "decrypt_failed" },
    { name: "an older epoch again", records: [...lines(again).slice(0, 2), w0], code: "tampered" },
    {
      name: "continues more than came",
      records: [...lines(cut), ...lines(wrong)],
      code: "tampered",
    },
    { name: "continues what was left out", records: lines(on), code: "tampered" },
    { name: "more after the final record", records: [...lines(whole), w1], code: "tampered" },
    { name: "plaintext token", records: [w0, TOKENS[0]], code: "tampered" },
    { name: "plaintext data", records: [w0, '{"type":"data","payload":1}'], code: "tampered" },
    { name: "plaintext done", records: [w0, w1, DONE], code: "tampered" },
    { name: "v1", records: ['{"type":"enc","d":"AAAA"}'], code: "tampered" },
    { name: "no JSON", records: ["Hello"], code: "tampered" },
  ];

const file = {
  about:
    "Encryption v2, see docs/protocol.md. Binary is hexadecimal. A stream without a code is to be read as its text and end; one with a code is to be refused with it.",
  sessions,
  inputs: [
    await input(KEY, "c1", "000102030405060708090a0b", "Tell me a störy"),
    await input(KEY, "c2", "0b0a09080706050403020100", ""),
  ],
  streams: streams.map((stream) => ({ key: KEY, channel: "c1", ...stream })),
};
const target = new URL("../vectors/encryption_v2.json", import.meta.url);
await Deno.writeTextFile(target, JSON.stringify(file, null, 2) + "\n");
console.log(`${sessions.length} sessions, ${streams.length} streams`);
