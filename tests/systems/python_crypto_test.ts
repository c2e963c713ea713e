/** Encryption v1, message by message, against the Python package's. @module */
import { assertEquals, assertRejects } from "@std/assert";
import { decryptMessage, encryptMessage, generateKey, StreamError } from "../../stream/mod.ts";
import { needs } from "./needs.ts";
import { pythonCrypto } from "./python_peer.ts";

const { ignore } = needs("python");
const MESSAGES = [
  '{"type": "token", "content": "Grüße, 日本語 🚀"}',
  "{}",
  `"${"x".repeat(100_000)}"`,
];

Deno.test({
  name: "python crypto - what it encrypts we decrypt",
  ignore,
  async fn() {
    const key = (await pythonCrypto({ do: "key" })).result;
    for (const message of MESSAGES) {
      const { result } = await pythonCrypto({ do: "encrypt", key, message });
      assertEquals(await decryptMessage(key, result), message);
      await assertRejects(() => decryptMessage(generateKey(), result), StreamError, "decrypt");
    }
  },
});

Deno.test({
  name: "python crypto - what we encrypt it decrypts",
  ignore,
  async fn() {
    const key = generateKey();
    for (const plain of MESSAGES) {
      const message = await encryptMessage(key, plain);
      assertEquals(await pythonCrypto({ do: "decrypt", key, message }), { result: plain });
      const other = await pythonCrypto({ do: "decrypt", key: generateKey(), message });
      assertEquals(other.error, "InvalidTag");
    }
  },
});

Deno.test({
  name: "python crypto - a changed message is found out on both sides",
  ignore,
  async fn() {
    const key = generateKey();
    const { type, d } = JSON.parse(await encryptMessage(key, "{}"));
    const changed = d.slice(0, 20) + (d[20] === "A" ? "B" : "A") + d.slice(21);
    const message = JSON.stringify({ type, d: changed });
    assertEquals((await pythonCrypto({ do: "decrypt", key, message })).error, "InvalidTag");
    await assertRejects(() => decryptMessage(key, message), StreamError, "decrypt");
  },
});
