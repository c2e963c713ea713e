/** A producer's connection: how it is made, and made again. @module */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { RelayProducer } from "../../../client/mod.ts";
import { StreamError } from "../../../stream/mod.ts";
import { test } from "../../tools/test.ts";
import { ack, connected, line } from "./fake_connection.ts";
import { FakeRelay } from "./fake_relay.ts";

test("reconnect - goes on from the acknowledged seq", async () => {
  const [producer, connection, relay] = await connected();
  await producer.token("a");
  connection.buffered = 1;
  await producer.token("b");
  await producer.token("c");
  connection.buffered = 0;
  await connection.frame();
  ack(connection, 1);
  await connection.frame();
  await producer.token("d");
  connection.close();
  await producer.token("e");
  const second = await relay.next();
  const hello = await second.hello({ epoch: 1, next: 2, window: 1000 });
  assertEquals(hello.incarnation, "i1");
  // "b" was committed, "c" of the same frame was not
  assertEquals(await second.frame(), {
    header: { n: 1, e: 1, s: 2 },
    lines: [line("c")],
  });
  assertEquals(await second.frame(), {
    header: { n: 1, e: 1, s: 3 },
    lines: [line("d")],
  });
  assertEquals((await second.frame()).lines, [line("e")]);
  ack(second, 5);
  await producer.close();
});

test("reconnect - the acknowledgement of the end was lost with the connection", async () => {
  const [producer, connection, relay] = await connected();
  await producer.token("a");
  const done = producer.done();
  await connection.frame();
  connection.close();
  const second = await relay.next();
  await second.hello({
    epoch: 1,
    next: 2,
    end: { kind: "done", by: "producer", offset: 1, ts: 1 },
  });
  await done;
});

test("reconnect - refused because of our own end, which is success", async () => {
  const [producer, connection, relay] = await connected();
  const done = producer.done();
  await connection.frame();
  connection.close();
  const second = await relay.next();
  second.accept();
  await second.control();
  second.send({
    error: {
      code: "ended",
      message: "Over",
      details: { end: { kind: "done", by: "producer", offset: 0, ts: 1 } },
    },
  });
  second.close(4506);
  await done;
});

test("reconnect - refused because of somebody else's end, which is failure", async () => {
  const [producer, connection, relay] = await connected();
  const done = producer.done();
  await connection.frame();
  connection.close();
  const second = await relay.next();
  second.accept();
  await second.control();
  second.refuse("ended", 4506);
  const error = await assertRejects(() => done, StreamError);
  assertEquals(error.code, "ended");
});

test("reconnect - a relay that lost acknowledged records can't be gone on with", async () => {
  const [producer, connection, relay] = await connected();
  await producer.token("a");
  await producer.token("b");
  ack(connection, 1);
  connection.close();
  const second = await relay.next();
  await second.hello({ epoch: 1, next: 0, window: 1000 });
  const error = await assertRejects(() => producer.done(), StreamError);
  assertEquals(error.code, "relay_restarted");
});

test("reconnect - another incarnation is relay_restarted", async () => {
  const [producer, connection, relay] = await connected();
  connection.close(1012);
  const second = await relay.next();
  await second.hello({ incarnation: "i2", epoch: 1 });
  const error = await assertRejects(() => producer.done(), StreamError);
  assertEquals(error.code, "relay_restarted");
});

test("reconnect - a relay that acknowledges nothing is taken for dead", async () => {
  const [producer, connection, relay] = await connected({ ackTimeout: 1 });
  await producer.token("a");
  await connection.frame();
  assertEquals(await connection.closed, 1000);
  const second = await relay.next();
  await second.hello({ epoch: 1, next: 0, window: 1000 });
  assertEquals((await second.frame()).lines, [line("a")]);
  ack(second, 1);
  await producer.close();
});

test("connect - a server that is no relay is named in one sentence", async () => {
  for (const answer of ["hi there", '{"a":1}', '{"n":1,"o":0}\nx']) {
    const relay = new FakeRelay();
    const producer = new RelayProducer(relay.options);
    const ready = producer.connect();
    const connection = (await relay.next()).accept();
    await connection.read();
    connection.text(answer);
    const error = await assertRejects(() => ready, StreamError);
    assertEquals(
      error.message,
      `The server at ws://127.0.0.1:1 answered the hello with ${
        JSON.stringify(answer)
      }, expected the hello of a streamrelay relay`,
    );
  }
});

test("connect - a server that never answers", async () => {
  const relay = new FakeRelay();
  const producer = new RelayProducer({
    ...relay.options,
    connectTimeout: 1,
    retry: { giveUpAfter: 0 },
  });
  const ready = producer.connect();
  (await relay.next()).accept();
  const error = await assertRejects(() => ready, StreamError);
  assertEquals(error.code, "unreachable");
  assertEquals(
    error.message,
    "Cannot reach relay ws://127.0.0.1:1: it opened the connection but did not answer within 1 ms, expected a streamrelay relay",
  );
});

test("connect - the relays of a list are tried in turn", async () => {
  const relay = new FakeRelay();
  const producer = new RelayProducer({
    ...relay.options,
    url: "ws://a, http://b/x/",
    retry: { giveUpAfter: 0 },
  });
  const ready = producer.connect();
  const first = await relay.next();
  assertEquals(first.url, "ws://a/v2/produce/c1");
  first.close();
  const second = await relay.next();
  assertEquals(second.url, "ws://b/x/v2/produce/c1");
  await second.hello({ epoch: 1 });
  await ready;
  await producer.close();
});

test("connect - final refusals are told as the relay told them", async () => {
  for (
    const [code, close] of [["unauthorized", 4503], ["not_found", 4501]] as const
  ) {
    const relay = new FakeRelay();
    const producer = new RelayProducer(relay.options);
    const ready = producer.connect();
    const connection = (await relay.next()).accept();
    connection.refuse(code, close, "So it is");
    const error = await assertRejects(() => ready, StreamError, "So it is");
    assertEquals(error.code, code);
  }
});

test("connect - comes back after a relay that is going away", async () => {
  const relay = new FakeRelay();
  const producer = new RelayProducer(relay.options);
  const ready = producer.connect();
  const first = (await relay.next()).accept();
  first.refuse("overloaded", 1012);
  await (await relay.next()).hello({ epoch: 1 });
  await ready;
  await producer.close();
});

test("connect - bad options are refused at once", () => {
  const options = new FakeRelay().options;
  assertThrows(
    () => new RelayProducer({ ...options, url: "localhost:8765" }),
    StreamError,
    "did you mean ws://localhost:8765?",
  );
  assertThrows(
    () => new RelayProducer({ ...options, channel: "../x" }),
    StreamError,
    'Cannot use channel id "../x"',
  );
  assertThrows(
    () => new RelayProducer({ ...options, key: "short" }),
    StreamError,
    "Cannot read encryption key",
  );
});

test("connect - the caller's signal ends it", async () => {
  const abort = new AbortController();
  const [producer] = await connected({ signal: abort.signal });
  abort.abort();
  const error = await assertRejects(() => producer.token("x"), StreamError);
  assertEquals(error.code, "cancelled");
});
