/** What a producer sends, and when. @module */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { RelayProducer } from "../../../client/mod.ts";
import { StreamError } from "../../../stream/mod.ts";
import { test } from "../../tools/test.ts";
import { ack, connected, line } from "./fake_connection.ts";
import { FakeRelay } from "./fake_relay.ts";

test("hello - names credential and instance", async () => {
  const relay = new FakeRelay();
  const producer = new RelayProducer({ ...relay.options, instance: "me" });
  const ready = producer.connect();
  const connection = await relay.next();
  assertEquals(connection.url, "ws://127.0.0.1:1/v2/produce/c1");
  const hello = await connection.hello({ epoch: 1, window: 1000 });
  assertEquals(hello, { v: 2, auth: "t", instance: "me" });
  await ready;
  await producer.close();
  assertEquals(await connection.closed, 1000);
});

test("send - a token goes out at once while idle", async () => {
  const [producer, connection] = await connected();
  for (const [at, text] of ["a", "b", "c"].entries()) {
    await producer.token(text);
    assertEquals(await connection.frame(), {
      header: { n: 1, e: 1, s: at },
      lines: [line(text)],
    });
    ack(connection, at + 1);
  }
  await producer.close();
});

test("send - gathers while the socket is busy", async () => {
  const [producer, connection] = await connected();
  await producer.token("a");
  connection.buffered = 10;
  await producer.token("b");
  await producer.token("c");
  assertEquals(connection.unread.length, 1);
  connection.buffered = 0;
  ack(connection, 1);
  await connection.frame();
  assertEquals((await connection.frame()).lines, [line("b"), line("c")]);
  ack(connection, 3);
  await producer.close();
});

test("send - goes on by itself when the socket has drained", async () => {
  const [producer, connection] = await connected();
  await producer.token("a");
  await connection.frame();
  connection.buffered = 10;
  await producer.token("b");
  connection.buffered = 0;
  assertEquals((await connection.frame()).lines, [line("b")]);
  ack(connection, 2);
  await producer.close();
});

test("send - gathers with eight frames unacknowledged, up to 512 records", async () => {
  const [producer, connection] = await connected();
  for (let i = 0; i < 8 + 512 + 3; i++) await producer.token("x");
  const sizes = connection.unread.map((text) => text.split("\n").length - 1);
  assertEquals(sizes, [1, 1, 1, 1, 1, 1, 1, 1, 512]);
  ack(connection, 520);
  assertEquals(connection.unread.at(-1)?.split("\n").length, 4);
  ack(connection, 523);
  assertEquals(producer.bytesPending, 0);
  await producer.close();
});

test("send - never more than the window without an acknowledgement", async () => {
  const [producer, connection] = await connected({}, { window: 50 });
  for (const text of ["a", "b", "c"]) await producer.token(text);
  assertEquals(connection.unread.length, 1);
  ack(connection, 1, 50);
  assertEquals(connection.unread.length, 2);
  ack(connection, 3, 50);
  await producer.close();
});

test("send - waits while the buffer is full", async () => {
  const [producer, connection] = await connected({ maxBuffer: 100 });
  await producer.token("x".repeat(20));
  let room = false;
  const waiting = producer.token("y".repeat(60)).then(() => room = true);
  await Promise.resolve();
  assert(!room);
  assert(producer.bytesPending > 100);
  ack(connection, 2);
  await waiting;
  await producer.close();
});

test("send - before the connection is there", async () => {
  const relay = new FakeRelay();
  const producer = new RelayProducer(relay.options);
  await producer.token("a");
  await producer.token("b");
  const connection = await relay.next();
  await connection.hello({ epoch: 3, window: 1000 });
  assertEquals(await connection.frame(), {
    header: { n: 2, e: 3, s: 0 },
    lines: [line("a"), line("b")],
  });
  ack(connection, 2);
  await producer.close();
});

test("send - text of every kind stays one line", async () => {
  const [producer, connection] = await connected();
  await producer.token("a\nb\r\u2028\u2029\ud83d\ude00");
  const { lines } = await connection.frame();
  assertEquals(lines.length, 1);
  assertEquals(JSON.parse(lines[0]).content, "a\nb\r\u2028\u2029\ud83d\ude00");
  await producer.token("lone \ud800!");
  const second = await connection.frame();
  assertEquals(JSON.parse(second.lines[0]).content, "lone \ufffd!");
  ack(connection, 2);
  await producer.close();
});

test("send - a long text becomes several tokens and no character is split", async () => {
  const [producer, connection] = await connected();
  const text = "x" + "\ud83d\ude00".repeat(100_000);
  await producer.token(text);
  ack(connection, 8);
  let got = "";
  while (connection.unread.length > 0) {
    for (const one of (await connection.frame()).lines) {
      const { content } = JSON.parse(one);
      assert(content.isWellFormed());
      got += content;
    }
    ack(connection, 13);
  }
  assertEquals(got.length, text.length);
  assert(got === text);
  await producer.close();
});

test("send - a frame stays below the relay's largest message", async () => {
  const [producer, connection] = await connected({}, { maxMessage: 4096 });
  connection.buffered = 1;
  for (let i = 0; i < 40; i++) await producer.token("\u4e16".repeat(200));
  for (let acked = 0; acked < 40;) {
    const message = await connection.read();
    assert(new TextEncoder().encode(message).length <= 4096);
    acked += message.split("\n").length - 1;
    ack(connection, acked);
  }
  await producer.close();
});

test("send - what is no JSON or too large is refused and the stream goes on", async () => {
  const [producer, connection] = await connected({}, { maxMessage: 4096 });
  const large = await assertRejects(
    () => producer.data("x".repeat(5000)),
    StreamError,
    "Cannot send record of 5028 bytes: expected at most 3840",
  );
  assertEquals(large.code, "too_large");
  await assertRejects(() => producer.data(1n), StreamError, "as JSON");
  await producer.data({ a: 1 });
  assertEquals((await connection.frame()).lines, [
    '{"type":"data","payload":{"a":1}}',
  ]);
  ack(connection, 1);
  await producer.close();
});
