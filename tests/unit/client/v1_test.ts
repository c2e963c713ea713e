import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { RelayConsumer, RelayProducer } from "../../../client/mod.ts";
import { decryptMessage, encryptMessage, generateKey, StreamError } from "../../../stream/mod.ts";
import { test } from "../../tools/test.ts";
import { FakeRelay, token } from "./fake_relay.ts";

const AUTH = '{"type":"auth","secret":"t"}';

test("v1 - spoken after a Python relay closed with 4000", async () => {
  const relay = new FakeRelay();
  const producer = new RelayProducer(relay.options);
  await producer.token("before");
  const first = (await relay.next()).accept();
  first.close(4000, "Invalid path. Use /produce/{id} or /consume/{id}");
  const second = await relay.next();
  assertEquals(second.url, "ws://127.0.0.1:1/produce/c1");
  second.accept();
  await producer.connect();
  const done = producer.done();
  assertEquals(await second.read(), AUTH);
  assertEquals(await second.control(), token("before"));
  assertEquals((await second.control()).type, "done");
  await done;
  assertEquals(await second.closed, 1000);
});

test("v1 - not spoken where v2 was asked for", async () => {
  const relay = new FakeRelay();
  const producer = new RelayProducer({ ...relay.options, protocol: "v2" });
  const ready = producer.connect();
  (await relay.next()).accept().close(4000, "Invalid path");
  const error = await assertRejects(() => ready, StreamError);
  assertEquals(error.code, "unsupported");
  assert(error.message.includes("does not speak v2"));
});

test("v1 - an error is followed by a done, as Python does", async () => {
  const relay = new FakeRelay();
  const producer = new RelayProducer({ ...relay.options, protocol: "v1" });
  const failed = producer.fail(new StreamError("oom", "Out"));
  const connection = (await relay.next()).accept();
  await connection.read();
  const { ts: _, ...error } = await connection.control();
  assertEquals(error, { type: "error", code: "oom", message: "Out" });
  assertEquals(await connection.control(), { type: "done" });
  await failed;
});

test("v1 - a producer comes back only while nothing was sent", async () => {
  const relay = new FakeRelay();
  const producer = new RelayProducer({ ...relay.options, protocol: "v1" });
  const ready = producer.connect();
  (await relay.next()).accept().close();
  await ready;
  const second = (await relay.next()).accept();
  await producer.token("a");
  second.close();
  const error = await assertRejects(() => producer.token("b"), StreamError);
  assertEquals(error.code, "unreachable");
  assertEquals(
    error.message,
    "The relay ws://127.0.0.1:1 broke the connection (1006) after 1 records and before the end; its protocol, v1, can't resume",
  );
});

test("v1 - 4001 and 4003 are final", async () => {
  for (const [close, code] of [[4001, "conflict"], [4003, "unauthorized"]]) {
    const relay = new FakeRelay();
    const producer = new RelayProducer({ ...relay.options, protocol: "v1" });
    const ready = producer.connect();
    const connection = (await relay.next()).accept();
    await ready;
    connection.close(Number(close), "Because");
    const error = await assertRejects(() => producer.token("a"), StreamError);
    assertEquals(error.code, code);
    assert(error.message.endsWith("Because"));
    assertEquals(relay.count, 1);
  }
});

test("v1 - a consumer reads messages, and skips an auth that was passed on", async () => {
  const relay = new FakeRelay();
  const stream = new RelayConsumer({ ...relay.options, protocol: "v1" })
    .stream();
  const connection = (await relay.next()).accept();
  assertEquals(connection.url, "ws://127.0.0.1:1/consume/c1");
  assertEquals(await connection.read(), AUTH);
  connection.text('{"type": "auth", "secret": "x"}');
  connection.text('{"type": "token",\n "content": "a"}');
  connection.text('{"type": "token", "content": "b"}');
  connection.text('{"type": "done", "usage": {"total_tokens": 2}}');
  assertEquals(await stream.text(), "ab");
  assertEquals((await stream.result).usage, { total_tokens: 2 });
  assertEquals(await connection.closed, 1000);
});

test("v1 - Python's error without a code is job_failed", async () => {
  const relay = new FakeRelay();
  const stream = new RelayConsumer({ ...relay.options, protocol: "v1" })
    .stream();
  const connection = (await relay.next()).accept();
  connection.text('{"type": "error", "message": "ValueError: x"}');
  connection.text('{"type": "done"}');
  const error = await assertRejects(() => stream.text(), StreamError);
  assertEquals([error.code, error.message], ["job_failed", "ValueError: x"]);
});

test("v1 - a consumer that can't resume fails, and says so", async () => {
  const relay = new FakeRelay();
  const stream = new RelayConsumer({ ...relay.options, protocol: "v1" })
    .stream();
  (await relay.next()).accept().close();
  const second = (await relay.next()).accept();
  second.text(JSON.stringify(token("a")));
  second.close();
  const error = await assertRejects(() => stream.text(), StreamError);
  assertEquals(error.code, "unreachable");
  assert(error.message.endsWith("after 1 records; its protocol, v1, can't resume"));
});

test("v1 - a close without a done is producer_lost", async () => {
  const relay = new FakeRelay();
  const stream = new RelayConsumer({ ...relay.options, protocol: "v1" })
    .stream();
  const connection = (await relay.next()).accept();
  connection.text(JSON.stringify(token("a")));
  connection.close(1000);
  const error = await assertRejects(() => stream.text(), StreamError);
  assertEquals(error.code, "producer_lost");
});

test("v1 - there are no offsets", async () => {
  const relay = new FakeRelay();
  const options = { ...relay.options, from: 3 };
  assertThrows(
    () => new RelayConsumer({ ...options, protocol: "v1" }),
    StreamError,
    "expected 0, or v2",
  );
  const stream = new RelayConsumer(options).stream();
  (await relay.next()).accept().close(4000);
  const error = await assertRejects(() => stream.text(), StreamError);
  assertEquals(error.code, "unsupported");
});

test("v1 - encryption seals everything, in order", async () => {
  const key = generateKey();
  const relay = new FakeRelay();
  const options = { ...relay.options, key, protocol: "v1" as const };
  const producer = new RelayProducer(options);
  const texts = Array.from({ length: 100 }, (_, i) => `${i} `);
  for (const text of texts) await producer.token(text);
  const failed = producer.fail("broken");
  const connection = (await relay.next()).accept();
  await connection.read();
  const got: unknown[] = [];
  for (let i = 0; i < 102; i++) {
    got.push(JSON.parse(await decryptMessage(key, await connection.read())));
  }
  await failed;
  assertEquals(got.slice(0, 100), texts.map(token));
  assertEquals((got[100] as { type: string }).type, "error");
  assertEquals(got[101], { type: "done" });
});

test("v1 - encryption over v2 closes sealed", async () => {
  const key = generateKey();
  const relay = new FakeRelay();
  const producer = new RelayProducer({ ...relay.options, key, encryption: "v1" });
  await producer.token("a");
  const done = producer.done();
  const connection = await relay.next();
  await connection.hello({ epoch: 1, window: 10_000 });
  const plain: string[] = [];
  let next = 0;
  while (next < 2) {
    const { header, lines } = await connection.frame();
    next += lines.length;
    assertEquals(header.close, next === 2 ? "sealed" : undefined);
    for (const line of lines) plain.push(await decryptMessage(key, line));
    connection.send({ ack: { next, window: 10_000 } });
  }
  await done;
  assertEquals(JSON.parse(plain[0]), token("a"));
  assertEquals(JSON.parse(plain[1]).type, "done");
});

test("v1 - a keyed consumer refuses plaintext", async () => {
  const key = generateKey();
  const relay = new FakeRelay();
  const stream = new RelayConsumer({ ...relay.options, key, protocol: "v1" })
    .stream();
  const connection = (await relay.next()).accept();
  connection.text(await encryptMessage(key, JSON.stringify(token("a"))));
  connection.text(JSON.stringify(token("forged")));
  const error = await assertRejects(() => stream.text(), StreamError);
  assertEquals(error.code, "tampered");
});
