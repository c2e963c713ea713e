import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { RelayProducer } from "../../../client/mod.ts";
import { StreamError } from "../../../stream/mod.ts";
import { test } from "../../tools/test.ts";
import { type FakeConnection, FakeRelay, token } from "./fake_relay.ts";

async function connected(
  options: Record<string, unknown> = {},
  hello: Record<string, unknown> = {},
): Promise<[RelayProducer, FakeConnection, FakeRelay]> {
  const relay = new FakeRelay();
  const producer = new RelayProducer({ ...relay.options, ...options });
  const ready = producer.connect();
  const connection = await relay.next();
  await connection.hello({ epoch: 1, window: 1 << 20, ...hello });
  await ready;
  return [producer, connection, relay];
}

function line(content: string): string {
  return JSON.stringify(token(content));
}

function ack(connection: FakeConnection, next: number, window = 1 << 20): void {
  connection.send({ ack: { next, window } });
}

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

test("end - done is resolved by its acknowledgement", async () => {
  const [producer, connection] = await connected();
  const done = producer.done({ usage: { total_tokens: 7 } });
  const { header, lines } = await connection.frame();
  assertEquals(header, { n: 1, e: 1, s: 0, close: "done" });
  const { ts, ...record } = JSON.parse(lines[0]);
  assertEquals(record, {
    type: "done",
    reason: "completed",
    usage: { total_tokens: 7 },
  });
  assertEquals(typeof ts, "number");
  let over = false;
  done.then(() => over = true);
  await Promise.resolve();
  assert(!over);
  ack(connection, 1);
  await done;
  assertEquals(await connection.closed, 1000);
  await assertRejects(() => producer.token("late"), StreamError, "done()");
});

test("end - fail says what was thrown", async () => {
  const cases: [unknown, string, string][] = [
    [new StreamError("oom", "Out"), "oom", "Out"],
    [new Error("Broken"), "job_failed", "Broken"],
    [{ code: "walltime", message: "Late" }, "walltime", "Late"],
    [{ code: "nonsense", message: "M" }, "job_failed", "M"],
    ["text", "job_failed", "text"],
  ];
  for (const [error, code, message] of cases) {
    const [producer, connection] = await connected();
    const failed = producer.fail(error);
    const { header, lines } = await connection.frame();
    assertEquals(header.close, "error");
    const { ts: _, ...record } = JSON.parse(lines[0]);
    assertEquals(record, { type: "error", code, message });
    ack(connection, 1);
    await failed;
  }
});

test("end - the relay's end may come before its acknowledgement", async () => {
  const [producer, connection] = await connected();
  const done = producer.done();
  await connection.frame();
  connection.send({ end: { kind: "done", by: "producer", offset: 0, ts: 1 } });
  await done;
});

test("end - one set by others ends the producer", async () => {
  const [producer, connection] = await connected();
  connection.send({
    end: { kind: "error", by: "supervisor", code: "walltime", ts: 1 },
  });
  const error = await assertRejects(() => producer.token("x"), StreamError);
  assertEquals(error.code, "ended");
  assertEquals(
    error.message,
    "The channel was ended by the supervisor as error (walltime)",
  );
  assert(producer.signal.aborted);
});

test("end - leaving a block with await using is never done()", async () => {
  const [producer, connection] = await connected();
  await producer.token("a");
  await connection.frame();
  const left = producer[Symbol.asyncDispose]();
  ack(connection, 1);
  await left;
  assertEquals(await connection.closed, 1000);
  assertEquals(connection.unread, []);
});

test("end - close without an end waits for the acknowledgements and only closes", async () => {
  const [producer, connection] = await connected();
  await producer.token("a");
  const closed = producer.close();
  await connection.frame();
  ack(connection, 1);
  await closed;
  assertEquals(await connection.closed, 1000);
  assertEquals(connection.unread, []);
});

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

test("fenced - is terminal and fires the signal", async () => {
  const [producer, connection, relay] = await connected();
  connection.refuse("fenced", 4513, "A newer producer came");
  const error = await assertRejects(() => producer.token("x"), StreamError);
  assertEquals([error.code, error.message], [
    "fenced",
    "A newer producer came",
  ]);
  assertEquals(producer.signal.reason, error);
  assertEquals(relay.count, 1);
});

test("cancel - fires the signal, and pipe ends with cancelled", async () => {
  const [producer, connection] = await connected();
  let returned = false;
  const source: AsyncIterable<string> = {
    [Symbol.asyncIterator]: () => {
      let first = true;
      return {
        next: () => {
          if (!first) return new Promise(() => {});
          first = false;
          return Promise.resolve({ done: false, value: "a" });
        },
        return: () => {
          returned = true;
          return Promise.resolve({ done: true, value: undefined });
        },
      };
    },
  };
  const piped = producer.pipe(source);
  assertEquals((await connection.frame()).lines, [line("a")]);
  connection.send({ cancel: { by: "consumer", reason: "enough", ts: 1 } });
  const { header, lines } = await connection.frame();
  assertEquals(header.close, "error");
  assertEquals(JSON.parse(lines[0]).code, "cancelled");
  assert(returned);
  ack(connection, 2);
  await piped;
  assertEquals(
    producer.signal.reason.message,
    "The stream was cancelled by the consumer: enough",
  );
});

test("cancel - asked for before, is in the hello", async () => {
  const [producer, connection] = await connected({}, {
    cancel: { by: "admin", ts: 1 },
  });
  assert(producer.signal.aborted);
  const piped = producer.pipe((async function* () {
    yield await Promise.resolve("never");
  })());
  const { lines } = await connection.frame();
  assertEquals(JSON.parse(lines[0]).code, "cancelled");
  ack(connection, 1);
  await piped;
});

test("pipe - bytes one at a time never split a character", async () => {
  const [producer, connection] = await connected();
  const text = "\ufeffZ\u00fcrich \ud83d\ude00";
  const bytes = new TextEncoder().encode(text);
  const piped = producer.pipe((async function* () {
    for (const byte of bytes) yield await Promise.resolve(Uint8Array.of(byte));
  })());
  let got = "";
  for (let next = 0;;) {
    const { header, lines } = await connection.frame();
    next += lines.length;
    const records = lines.map((one) => JSON.parse(one));
    got += records.map((record) => record.content ?? "").join("");
    ack(connection, next);
    if (header.close !== undefined) break;
  }
  await piped;
  assertEquals(got, text);
});

test("pipe - a web stream of bytes, and a broken last character", async () => {
  const [producer, connection] = await connected();
  const piped = producer.pipe(
    new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(Uint8Array.of(65, 0xc3));
        controller.close();
      },
    }),
  );
  assertEquals((await connection.frame()).lines, [line("A")]);
  assertEquals((await connection.frame()).lines, [line("\ufffd")]);
  assertEquals((await connection.frame()).header.close, "done");
  ack(connection, 3);
  await piped;
});

test("pipe - fails when the source throws", async () => {
  const [producer, connection] = await connected();
  // deno-lint-ignore require-yield -- a source that breaks before its first text
  const piped = producer.pipe((async function* (): AsyncGenerator<string> {
    throw await Promise.resolve(new Error("The model broke"));
  })());
  const { lines } = await connection.frame();
  assertEquals(JSON.parse(lines[0]).message, "The model broke");
  ack(connection, 1);
  await piped;
});

test("writable - closing is done, aborting is fail", async () => {
  const [producer, connection] = await connected();
  const writer = producer.writable.getWriter();
  await writer.write("a");
  assertEquals((await connection.frame()).lines, [line("a")]);
  const closed = writer.close();
  assertEquals((await connection.frame()).header.close, "done");
  ack(connection, 2);
  await closed;
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
