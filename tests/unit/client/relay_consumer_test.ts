/** What a consumer makes of what a relay sends. @module */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { RelayConsumer } from "../../../client/mod.ts";
import { encodeResumeToken, StreamError, type StreamEvent } from "../../../stream/mod.ts";
import { test } from "../../tools/test.ts";
import { FakeRelay, token } from "./fake_relay.ts";
import { collect, failure } from "./read_events.ts";

const DONE = { type: "done", reason: "completed" };

test("hello - names credential, place and credit", async () => {
  const relay = new FakeRelay();
  const consumer = new RelayConsumer({
    ...relay.options,
    from: 3,
    window: 1000,
  });
  const stream = consumer.stream();
  const connection = await relay.next();
  assertEquals(connection.url, "ws://127.0.0.1:1/v2/consume/c1");
  assertEquals(await connection.hello(), {
    v: 2,
    auth: "t",
    from: 3,
    credit: 1000,
  });
  await consumer.opened;
  connection.events({ o: 3, by: "p", e: 1, s: 3 }, [token("a"), DONE]);
  assertEquals(await stream.text(), "a");
  assertEquals(
    stream.resumeToken,
    encodeResumeToken({ channel: "c1", incarnation: "i1", offset: 5 }),
  );
  assertEquals(await connection.closed, 1000);
});

test("read - events of every kind, and lines that are no JSON", async () => {
  const relay = new FakeRelay();
  const stream = new RelayConsumer(relay.options).stream();
  const connection = await relay.next();
  await connection.hello();
  connection.events({ o: 0, by: "s" }, [{ type: "status", state: "running" }]);
  connection.events({ o: 1, by: "p" }, ["plain", "[1]", token("\u2028")]);
  connection.events({ o: 4, by: "p" }, [DONE]);
  assertEquals(await collect(stream.events()), [
    { type: "status", state: "running" },
    { type: "data", payload: "plain" },
    { type: "data", payload: [1] },
    { type: "token", content: "\u2028" },
    { type: "done", reason: "completed" },
  ]);
});

test("read - nothing comes behind the end", async () => {
  const relay = new FakeRelay();
  const stream = new RelayConsumer(relay.options).stream();
  const connection = await relay.next();
  await connection.hello();
  connection.events({ o: 0, by: "p" }, [token("a"), DONE, token("b")]);
  assertEquals((await collect(stream.events())).length, 2);
});

test("reconnect - goes on at the offset, with the incarnation", async () => {
  const relay = new FakeRelay();
  const stream = new RelayConsumer(relay.options).stream();
  const first = await relay.next();
  await first.hello();
  first.events({ o: 0, by: "p" }, [token("a"), token("b")]);
  first.close();
  const second = await relay.next();
  const hello = await second.hello();
  assertEquals([hello.from, hello.incarnation], [2, "i1"]);
  // a frame that overlaps what was read is trimmed
  second.events({ o: 1, by: "p" }, [token("b"), token("c")]);
  second.close(4101);
  const third = await relay.next();
  assertEquals((await third.hello()).from, 3);
  third.events({ o: 3, by: "p" }, [DONE]);
  assertEquals(await stream.text(), "abc");
});

test("reconnect - a channel that is another or gone ends the stream", async () => {
  for (
    const [code, close] of [
      ["relay_restarted", 4505],
      ["expired", 4502],
      ["not_found", 4501],
    ] as const
  ) {
    const relay = new FakeRelay();
    const stream = new RelayConsumer(relay.options).stream();
    const first = await relay.next();
    await first.hello();
    first.events({ o: 0, by: "p" }, [token("a")]);
    first.close();
    const second = (await relay.next()).accept();
    second.refuse(code, close, "Gone");
    const got: string[] = [];
    const error = await assertRejects(async () => {
      for await (const text of stream) got.push(text);
    }, StreamError);
    assertEquals([got, error.code, error.message], [["a"], code, "Gone"]);
  }
});

test("reconnect - gives up with one sentence", async () => {
  const relay = new FakeRelay();
  const options = { ...relay.options, retry: { giveUpAfter: 0 } };
  const consumer = new RelayConsumer(options);
  const stream = consumer.stream();
  (await relay.next()).close();
  assertEquals(await failure(stream.events()), [
    "unreachable",
    "Cannot reach relay ws://127.0.0.1:1: The connection to relay ws://127.0.0.1:1 broke (1006)",
  ]);
  const error = await assertRejects(() => consumer.opened, StreamError);
  assertEquals(error.code, "unreachable");
});

test("refused - unauthorized and bad_offset end the stream", async () => {
  for (const [code, close] of [["unauthorized", 4503], ["bad_offset", 4509]]) {
    const relay = new FakeRelay();
    const stream = new RelayConsumer(relay.options).stream();
    const connection = (await relay.next()).accept();
    connection.refuse(`${code}`, Number(close), "So");
    assertEquals(await failure(stream.events()), [`${code}`, "So"]);
  }
});

test("read - records that are missing are tampered", async () => {
  const relay = new FakeRelay();
  const stream = new RelayConsumer(relay.options).stream();
  const connection = await relay.next();
  await connection.hello();
  connection.events({ o: 1, by: "p" }, [token("b")]);
  assertEquals(await failure(stream.events()), [
    "tampered",
    "The relay ws://127.0.0.1:1 sent offset 1, expected 0: records are missing",
  ]);
});

test("read - records that were dropped on purpose are a gap", async () => {
  const relay = new FakeRelay();
  const stream = new RelayConsumer(relay.options).stream();
  const connection = await relay.next();
  await connection.hello();
  connection.events({ o: 8, by: "r" }, [{ type: "gap", from: 0, to: 9 }]);
  connection.events({ o: 9, by: "p" }, [DONE]);
  assertEquals(await collect(stream.events()), [
    { type: "gap", from: 0, to: 9 },
    { type: "done", reason: "completed" },
  ]);
});

test("read - a frame whose lines are not its n ends the stream", async () => {
  const relay = new FakeRelay();
  const stream = new RelayConsumer(relay.options).stream();
  const connection = await relay.next();
  await connection.hello();
  connection.text('{"n":2,"o":0,"by":"p"}\n{}');
  assertEquals((await failure(stream.events()))[0], "bad_request");
});

test("credit - is given as the reader takes, and after a cut for what does not wait", async () => {
  const relay = new FakeRelay();
  const stream = new RelayConsumer({ ...relay.options, window: 100 }).stream();
  const events = stream.events();
  const first = await relay.next();
  await first.hello();
  first.events({ o: 0, by: "p" }, [token("x".repeat(20))]);
  assertEquals(first.unread, []);
  const size = '{"n":1,"o":0,"by":"p"}\n{"type":"token","content":""}'.length +
    20;
  await events.next();
  assertEquals(await first.control(), { credit: { bytes: 100 + size } });
  first.events({ o: 1, by: "p" }, [token("y".repeat(20))]);
  first.close();
  const second = await relay.next();
  assertEquals((await second.hello()).credit, 100 - size);
  await events.next();
  assertEquals(await second.control(), { credit: { bytes: 100 } });
  second.events({ o: 2, by: "p" }, [DONE]);
  assertEquals((await events.next()).value?.type, "done");
});

test("end - one that is no record is rendered behind the tail", async () => {
  const cases: [Record<string, unknown>, StreamEvent][] = [
    [{ kind: "done", by: "supervisor", ts: 7 }, {
      type: "done",
      reason: "completed",
      ts: 7,
    }],
    [
      {
        kind: "error",
        by: "supervisor",
        code: "oom",
        message: "Out",
        details: { node: "n1" },
        ts: 7,
      },
      {
        type: "error",
        code: "oom",
        message: "Out",
        details: { node: "n1" },
        ts: 7,
      },
    ],
  ];
  for (const [end, event] of cases) {
    const relay = new FakeRelay();
    const stream = new RelayConsumer(relay.options).stream();
    const connection = await relay.next();
    await connection.hello();
    connection.events({ o: 0, by: "p" }, [token("a")]);
    connection.send({ end });
    connection.close(1000);
    assertEquals(await collect(stream.events()), [
      { type: "token", content: "a" },
      event,
    ]);
  }
});

test("end - reading from behind the final record fetches it", async () => {
  const relay = new FakeRelay();
  const stream = new RelayConsumer({ ...relay.options, from: 6 }).stream();
  const end = { kind: "error", by: "producer", offset: 5, ts: 7 };
  const first = await relay.next();
  await first.hello();
  first.send({ end });
  first.close(1000);
  const second = await relay.next();
  assertEquals((await second.hello()).from, 5);
  second.events({ o: 5, by: "p" }, [
    { type: "error", code: "oom", message: "Out" },
  ]);
  assertEquals(await failure(stream.events()), ["oom", "Out"]);
});

test("cancel - through the socket", async () => {
  const relay = new FakeRelay();
  const stream = new RelayConsumer(relay.options).stream();
  const connection = await relay.next();
  await connection.hello();
  const asked = stream.cancel("enough");
  assertEquals(await connection.control(), { cancel: { reason: "enough" } });
  connection.send({ cancel: { by: "consumer", ts: 1, ack: "producer" } });
  assertEquals(await asked, "producer");
  connection.events({ o: 0, by: "p" }, [
    token("a"),
    { type: "error", code: "cancelled", message: "Stopped" },
  ]);
  assertEquals(await stream.text(), "a");
});

test("cancel - a refused one leaves the stream alone", async () => {
  const refused = { error: { code: "forbidden", message: "Not you" } };
  for (const answer of [refused, { cancel: refused }]) {
    const relay = new FakeRelay();
    const stream = new RelayConsumer(relay.options).stream();
    const connection = await relay.next();
    await connection.hello();
    const asked = stream.cancel();
    connection.send(answer);
    const error = await assertRejects(() => asked, StreamError);
    assertEquals(error.code, "forbidden");
    connection.close();
    const second = await relay.next();
    await second.hello();
    second.events({ o: 0, by: "p" }, [token("a"), DONE]);
    assertEquals(await stream.text(), "a");
  }
});

test("tee - each branch reads the relay for itself", async () => {
  const relay = new FakeRelay();
  const [one, two] = new RelayConsumer(relay.options).stream().tee();
  const texts = Promise.all([one.text(), two.text()]);
  for (let i = 0; i < 2; i++) {
    const connection = await relay.next();
    await connection.hello();
    connection.events({ o: 0, by: "p" }, [token("a"), DONE]);
  }
  assertEquals(await texts, ["a", "a"]);
});

test("close - a reader that leaves closes the connection", async () => {
  const relay = new FakeRelay();
  const stream = new RelayConsumer(relay.options).stream();
  const connection = await relay.next();
  await connection.hello();
  connection.events({ o: 0, by: "p" }, [token("a"), token("b")]);
  for await (const _ of stream) break;
  assertEquals(await connection.closed, 1000);
});

test("close - ends a waiting reader with cancelled", async () => {
  const relay = new FakeRelay();
  const consumer = new RelayConsumer(relay.options);
  const stream = consumer.stream();
  const connection = await relay.next();
  await connection.hello();
  const failed = failure(stream.events());
  consumer.close();
  assertEquals(await failed, ["cancelled", "The consumer was closed"]);
  assertEquals(await connection.closed, 1000);
});

test("options - a resume token names channel and place", async () => {
  const relay = new FakeRelay();
  const resumeToken = encodeResumeToken({
    channel: "c9",
    incarnation: "i9",
    offset: 4,
  });
  const { channel: _, ...options } = relay.options;
  const consumer = new RelayConsumer({ ...options, resumeToken });
  consumer.opened.catch(() => {});
  const connection = await relay.next();
  assertEquals(connection.url, "ws://127.0.0.1:1/v2/consume/c9");
  const { from, incarnation } = await connection.hello({ incarnation: "i9" });
  assertEquals([from, incarnation], [4, "i9"]);
  consumer.close();
  assertThrows(
    () => new RelayConsumer({ ...relay.options, resumeToken }),
    StreamError,
    "the resume token is one of channel c9",
  );
  assertThrows(
    () => new RelayConsumer({ ...relay.options, from: -1 }),
    StreamError,
    "Cannot read from offset -1",
  );
});
