/** How a producer's stream ends: by itself, by a cancel, by what it reads from. @module */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { StreamError } from "../../../stream/mod.ts";
import { test } from "../../tools/test.ts";
import { ack, connected, line } from "./fake_connection.ts";

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
