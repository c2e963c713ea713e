import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { encodeBase64 } from "@std/encoding/base64";
import { decodeHex } from "@std/encoding/hex";
import {
  decryptMessage,
  encryptMessage,
  generateKey,
  parseKey,
  StreamError,
} from "../../../stream/mod.ts";
import { test } from "../../tools/test.ts";

const KEY = "10f203a90e9f55549169c6af10f203a90e9f55549169c6af10f203a90e9f5554";

test("encryption - a message comes back, and no two look alike", async () => {
  const text = '{"type":"token","content":"hé 𝛼"}';
  const [one, two] = await Promise.all([encryptMessage(KEY, text), encryptMessage(KEY, text)]);
  assert(one !== two);
  assertEquals(await decryptMessage(KEY, one), text);
  assertEquals(Object.keys(JSON.parse(one)), ["type", "d"]);
});

test("encryption - keys are hexadecimal or base64", async () => {
  const base64 = encodeBase64(decodeHex(KEY));
  assertEquals(await decryptMessage(base64, await encryptMessage(KEY, "{}")), "{}");
  assertEquals(parseKey(` ${KEY}\n`).length, 32);
  assertEquals(parseKey(generateKey()).length, 32);
});

test("encryption - a key that can't be read is refused without being repeated", () => {
  for (const bad of ["", "short", KEY.slice(1), `${KEY}00`, "=".repeat(44)]) {
    const error = assertThrows(() => parseKey(bad), StreamError);
    assertEquals(error.code, "bad_request");
    assert(bad === "" || !error.message.includes(bad));
  }
});

test("encryption - plaintext, a changed message and a wrong key are caught", async () => {
  const sealed = await encryptMessage(KEY, "{}");
  const { d } = JSON.parse(sealed);
  const changed = JSON.stringify({ type: "enc", d: `${d[0] === "A" ? "B" : "A"}${d.slice(1)}` });
  const codes: string[] = [];
  for (
    const [key, message] of [
      [KEY, '{"type":"token","content":"forged"}'],
      [KEY, "not JSON"],
      [KEY, changed],
      [KEY, JSON.stringify({ type: "enc", d: d.slice(0, 8) })],
      [generateKey(), sealed],
    ]
  ) codes.push((await assertRejects(() => decryptMessage(key, message), StreamError)).code);
  assertEquals(codes, [
    "tampered",
    "tampered",
    "decrypt_failed",
    "decrypt_failed",
    "decrypt_failed",
  ]);
});
