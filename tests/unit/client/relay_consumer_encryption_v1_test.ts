/** What a consumer with a key of encryption v1 accepts. @module */
import { assertEquals } from "@std/assert";
import { RelayConsumer } from "../../../client/mod.ts";
import { encryptMessage, generateKey } from "../../../stream/mod.ts";
import { test } from "../../tools/test.ts";
import { FakeRelay, token } from "./fake_relay.ts";
import { collect, failure } from "./read_events.ts";

const DONE = { type: "done", reason: "completed" };

test("encryption v1 - sealed records come in order, and the verdict is inside", async () => {
  const relay = new FakeRelay();
  const key = generateKey();
  const stream = new RelayConsumer({ ...relay.options, key, encryption: "v1" }).stream();
  const connection = await relay.next();
  await connection.hello();
  const seal = (record: unknown) => encryptMessage(key, JSON.stringify(record));
  const texts = Array.from({ length: 50 }, (_, i) => `${i} `);
  for (const [o, text] of texts.entries()) {
    connection.events({ o, by: "p" }, [await seal(token(text))]);
  }
  connection.events({ o: 50, by: "p" }, [await seal(DONE)]);
  connection.send({ end: { kind: "sealed", by: "producer", offset: 50, ts: 1 } });
  connection.close(1000);
  assertEquals(await stream.text(), texts.join(""));
});

test("encryption v1 - plaintext may make wait or fail, never add or succeed", async () => {
  const key = generateKey();
  const cases: [unknown, string][] = [
    [token("forged"), "tampered"],
    [{ type: "data", payload: 1 }, "tampered"],
    [DONE, "tampered"],
    ["no JSON", "tampered"],
    [{ type: "error", code: "oom", message: "Out" }, "oom"],
    [{ type: "enc", d: "AAAA" }, "decrypt_failed"],
  ];
  for (const [record, code] of cases) {
    const relay = new FakeRelay();
    const stream = new RelayConsumer({ ...relay.options, key, encryption: "v1" }).stream();
    const connection = await relay.next();
    await connection.hello();
    connection.events({ o: 0, by: "s" }, [{ type: "status", state: "queued" }]);
    connection.events({ o: 1, by: "p" }, [record]);
    const events = await collect(stream.events());
    const last = events.at(-1);
    assertEquals(events.map(({ type }) => type), ["status", "error"]);
    assertEquals(last?.type === "error" ? `${last.code}` : "", code);
  }
});

test("encryption v1 - an end in plaintext can't be done, and sealed needs a verdict", async () => {
  for (
    const [end, code] of [
      [{ kind: "done", by: "supervisor", ts: 1 }, "tampered"],
      [{ kind: "sealed", by: "producer", ts: 1 }, "producer_lost"],
      [{ kind: "error", by: "relay", code: "limit", ts: 1 }, "limit"],
    ] as const
  ) {
    const relay = new FakeRelay();
    const key = generateKey();
    const stream = new RelayConsumer({ ...relay.options, key, encryption: "v1" }).stream();
    const connection = await relay.next();
    await connection.hello();
    connection.send({ end });
    connection.close(1000);
    assertEquals((await failure(stream.events()))[0], code);
  }
});

test("encryption v1 - a sealed end whose record does not end the stream is producer_lost", async () => {
  const relay = new FakeRelay();
  const key = generateKey();
  const stream = new RelayConsumer({ ...relay.options, key, encryption: "v1" }).stream();
  const sealed = await encryptMessage(key, JSON.stringify(token("a")));
  for (const o of [0, 0]) {
    const connection = await relay.next();
    await connection.hello();
    connection.events({ o, by: "p" }, [sealed]);
    connection.send({ end: { kind: "sealed", by: "producer", offset: 0, ts: 1 } });
    connection.close(1000);
  }
  assertEquals((await failure(stream.events()))[0], "producer_lost");
});

test("encryption - without a key it is a typed error", async () => {
  const relay = new FakeRelay();
  const stream = new RelayConsumer(relay.options).stream();
  const connection = await relay.next();
  await connection.hello();
  connection.events({ o: 0, by: "p" }, [{ type: "enc", d: "AAAA" }]);
  assertEquals(await failure(stream.events()), [
    "decrypt_failed",
    "The stream is encrypted and no key is set: expected `key` or STREAMRELAY_KEY",
  ]);
});
