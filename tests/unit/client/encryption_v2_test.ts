/** Encryption v2 from producer to consumer: what is sealed when, and what a relay can't do. @module */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type EncryptionVersion,
  RelayConsumer,
  RelayProducer,
  RelaySupervisor,
} from "../../../client/mod.ts";
import {
  generateKey,
  OpeningSession,
  SealingSession,
  StreamError,
  type StreamEvent,
} from "../../../stream/mod.ts";
import { test } from "../../tools/test.ts";
import { until } from "../../tools/until.ts";
import { type FakeConnection, FakeRelay, token } from "./fake_relay.ts";
import { withRelay } from "./real_relay.ts";

const HELLO = { epoch: 1, window: 1_000_000 };
const channel = "c1";

/** Reads frames until so many records came, acknowledges them, and returns their lines. */
async function take(connection: FakeConnection, count: number): Promise<string[]> {
  const lines: string[] = [];
  while (lines.length < count) {
    const frame = await connection.frame();
    lines.push(...frame.lines);
    const next = frame.header.s as number + frame.lines.length;
    connection.send({ ack: { next, window: 1_000_000 } });
  }
  return lines;
}

async function opened(key: string, lines: string[]): Promise<StreamEvent[]> {
  return (await new OpeningSession({ key, channel }).open(lines.join("\n"))).events;
}

async function failure(work: Promise<unknown>): Promise<StreamError> {
  return await assertRejects(() => work, StreamError);
}

// --- producer ---

test("encryption v2 - what gathers while a frame is sealed becomes one record", async () => {
  const relay = new FakeRelay();
  const key = generateKey();
  const producer = new RelayProducer({ ...relay.options, key });
  for (let at = 0; at < 100; at++) producer.token(`${at} `);
  const connection = await relay.next();
  await connection.hello(HELLO);
  const { header, lines } = await connection.frame();
  assertEquals(header, { n: 2, e: 1, s: 0 });
  connection.send({ ack: { next: 2, window: 1_000_000 } });
  const done = producer.done();
  const end = await connection.frame();
  assertEquals(end.header, { n: 1, e: 1, s: 2, close: "sealed" });
  connection.send({ ack: { next: 3, window: 1_000_000 } });
  await done;
  const events = await opened(key, [...lines, ...end.lines]);
  assertEquals(events.length, 101);
  assertEquals(events[99], token("99 "));
});

test("encryption v2 - an error closes as one, and says nothing outside", async () => {
  const relay = new FakeRelay();
  const key = generateKey();
  const producer = new RelayProducer({ ...relay.options, key });
  const failed = producer.fail(new StreamError("oom", "Out of memory"));
  const connection = await relay.next();
  await connection.hello(HELLO);
  const { header, lines } = await connection.frame();
  assertEquals(header, { n: 2, e: 1, s: 0, close: "error" });
  assert(!lines.join().includes("oom"));
  connection.send({ ack: { next: 2, window: 1_000_000 } });
  await failed;
  assertEquals((await opened(key, lines)).at(-1)?.type, "error");
});

test("encryption v2 - after a cut the same ciphertext is sent again", async () => {
  const relay = new FakeRelay();
  const producer = new RelayProducer({ ...relay.options, key: generateKey() });
  await producer.token("a");
  let connection = await relay.next();
  await connection.hello(HELLO);
  const before = await connection.frame();
  connection.close();
  connection = await relay.next();
  await connection.hello(HELLO);
  assertEquals(await connection.frame(), before);
  connection.close();
  connection = await relay.next();
  await connection.hello({ ...HELLO, next: 1 });
  assertEquals(await connection.frame(), {
    header: { n: 1, e: 1, s: 1 },
    lines: before.lines.slice(1),
  });
  connection.send({ ack: { next: 2, window: 1_000_000 } });
  await producer.close();
});

test("encryption v2 - a claim that changes is the relay's doing", async () => {
  const relay = new FakeRelay();
  const producer = new RelayProducer({ ...relay.options, key: generateKey() });
  await producer.token("a");
  let connection = await relay.next();
  await connection.hello(HELLO);
  await take(connection, 2);
  connection.close();
  connection = await relay.next();
  await connection.hello({ ...HELLO, epoch: 2 });
  assertEquals((await failure(producer.done())).code, "tampered");
});

test("encryption v2 - an instance that wrote before has lost its session", async () => {
  const relay = new FakeRelay();
  const producer = new RelayProducer({ ...relay.options, key: generateKey(), instance: "one" });
  const connected = producer.connect();
  const connection = await relay.next();
  await connection.hello({ ...HELLO, next: 7 });
  assertEquals((await failure(connected)).code, "conflict");
});

test("encryption v2 - a record too large for the relay is refused", async () => {
  const relay = new FakeRelay();
  const producer = new RelayProducer({ ...relay.options, key: generateKey() });
  const connected = producer.connect();
  const connection = await relay.next();
  await connection.hello({ ...HELLO, maxMessage: 10_000 });
  await connected;
  assertEquals((await failure(producer.data("x".repeat(7_000)))).code, "too_large");
  await producer.data("x".repeat(6_700));
  const message = await connection.read();
  assert(message.length < 10_000);
  connection.send({ ack: { next: 2, window: 1_000_000 } });
  await producer.close();
});

// --- said, not negotiated ---

test("encryption v2 - a relay can't talk a client down to v1", async () => {
  for (const Client of [RelayProducer, RelayConsumer]) {
    const relay = new FakeRelay();
    const client = new Client({ ...relay.options, key: generateKey() });
    const asked = "connect" in client ? client.connect() : client.opened;
    (await relay.next()).accept().close(4000);
    assertEquals((await failure(asked)).code, "unsupported");
    assertEquals(relay.count, 1);
  }
});

test("encryption v2 - contradictions are told at once", () => {
  const { options } = new FakeRelay();
  const key = generateKey();
  const refused = (more: Record<string, unknown>) =>
    assertEquals(
      assertThrows(() => new RelayProducer({ ...options, ...more }), StreamError).code,
      "bad_request",
    );
  refused({ encryption: "v2" });
  refused({ encryption: "v1" });
  refused({ encryption: "v2", protocol: "v1", key });
});

test("encryption v2 - each side refuses the other's version", () =>
  withRelay(async ({ url, secret, control }) => {
    const versions: [EncryptionVersion, EncryptionVersion, string][] = [
      ["v1", "v2", "tampered"],
      ["v2", "v1", "decrypt_failed"],
    ];
    for (const [writes, reads, code] of versions) {
      const { id } = await control.createChannel();
      const at = { url, channel: id, token: secret, key: generateKey() };
      const producer = new RelayProducer({ ...at, encryption: writes });
      await producer.token("a");
      await producer.done();
      const stream = new RelayConsumer({ ...at, encryption: reads }).stream();
      assertEquals((await failure(stream.text())).code, code);
    }
  }));

// --- consumer, with a real relay ---

test("encryption v2 - a resume token goes on in the session, and in no other", () =>
  withRelay(async ({ url, secret, control }) => {
    const { id } = await control.createChannel({ keyed: true });
    const at = { url, channel: id, token: secret, key: generateKey() };
    const producer = new RelayProducer(at);
    const consumer = new RelayConsumer(at);
    const stream = consumer.stream();
    const tokens = stream[Symbol.asyncIterator]();
    await producer.token("one");
    assertEquals((await tokens.next()).value, "one");
    const second = tokens.next();
    await producer.token("two");
    assertEquals((await second).value, "two");
    const { resumeToken } = stream;
    consumer.close();
    await producer.token("three");
    await producer.done();

    const resumed = new RelayConsumer({ ...at, resumeToken }).stream();
    assertEquals(await resumed.text(), "three");
    assertEquals((await resumed.result).reason, "completed");
    const other = { ...at, key: generateKey() };
    const code = (await failure(new RelayConsumer({ ...other, resumeToken }).stream().text())).code;
    assertEquals(code, "decrypt_failed");
  }));

test("encryption v2 - a reader may begin anywhere, behind the end too", () =>
  withRelay(async ({ url, secret, control }) => {
    const { id } = await control.createChannel({ keyed: true });
    const at = { url, channel: id, token: secret, key: generateKey() };
    const producer = new RelayProducer(at);
    for (const text of ["a", "b", "c"]) {
      await producer.token(text);
      while (producer.bytesPending > 0) await new Promise((go) => setTimeout(go, 1));
    }
    await producer.done();
    const read = async (from: number) => {
      const stream = new RelayConsumer({ ...at, from }).stream();
      return [await stream.text(), (await stream.result).reason];
    };
    for (const [from, text] of ["abc", "abc", "bc", "c", "", ""].entries()) {
      assertEquals(await read(from), [text, "completed"]);
    }
  }));

test("encryption v2 - a job that starts over voids its text, one that continues does not", () =>
  withRelay(async ({ url, secret, control }) => {
    for (const goesOn of [false, true]) {
      const { id } = await control.createChannel({ keyed: true });
      const at = { url, channel: id, token: secret, key: generateKey() };
      const first = new RelayProducer(at);
      await first.token("one");
      await first.close();
      const continues = goesOn ? { epoch: 1, count: 2 } : undefined;
      const second = new RelayProducer({ ...at, continues });
      await second.token("two");
      await second.done();
      const text = await new RelayConsumer(at).stream().text();
      assertEquals(text, goesOn ? "onetwo" : "two");
    }
  }));

test("encryption v2 - a failing job's details reach the key's holder only", () =>
  withRelay(async ({ url, secret, control }) => {
    const { id } = await control.createChannel({ keyed: true });
    const at = { url, channel: id, token: secret, key: generateKey() };
    let heard: (status: Record<string, unknown>) => void;
    const failing = new Promise<Record<string, unknown>>((resolve) => heard = resolve);
    const supervisor = new RelaySupervisor({
      ...at,
      onStatus: (status: { state: string }) => {
        if (status.state === "failing") heard(status);
      },
    });
    await supervisor.connect();
    const stream = new RelayConsumer(at).stream();
    const producer = new RelayProducer(at);
    await producer.fail({ code: "job_failed", message: "Exit 3", details: { stderr: "secret" } });
    assert(!JSON.stringify(await failing).includes("secret"));
    await control.end(id, { kind: "error", code: "oom", message: "Out of memory" });
    const events = await Array.fromAsync(stream.events());
    const told = events.find((event) => event.type === "status" && event.state === "failing");
    assertEquals(told?.type === "status" && told.details, { stderr: "secret" });
    assertEquals((await stream.result).reason, "oom");
    supervisor.close();
  }));

test("encryption v2 - a supervisor's end is told in the producer's own words", () =>
  withRelay(async ({ url, secret, control }) => {
    const { id } = await control.createChannel({ keyed: true, lease: 60 });
    const at = { url, channel: id, token: secret, key: generateKey() };
    const producer = new RelayProducer(at);
    await producer.fail({ code: "job_failed", message: "Exit 3: why", details: { stderr: "why" } });
    await control.end(id, {
      kind: "error",
      code: "job_failed",
      message: "Exit 3",
      details: { jobId: "7" },
    });
    const error = await failure(new RelayConsumer(at).stream().text());
    assertEquals(error.message, "Exit 3: why");
    assertEquals(error.details, { jobId: "7", stderr: "why" });
  }));

test("encryption v2 - what a requeued job had said is not told of its next attempt", () =>
  withRelay(async ({ url, secret, control }) => {
    const { id } = await control.createChannel({ keyed: true, lease: 60 });
    const at = { url, channel: id, token: secret, key: generateKey() };
    const producer = new RelayProducer(at);
    await producer.fail({ code: "job_failed", message: "Signal 15", details: { signal: 15 } });
    const supervisor = new RelaySupervisor(at);
    await supervisor.connect();
    supervisor.status({ state: "queued", attempt: 2 });
    await until("the status", async () => (await control.info(id)).next > 2);
    await control.end(id, { kind: "error", code: "job_failed", message: "Not started" });
    const error = await failure(new RelayConsumer(at).stream().text());
    assertEquals(error.message, "Not started");
    assertEquals(error.details, {});
    supervisor.close();
  }));

test("encryption v2 - a relay that ends without the final record brings no success", async () => {
  for (const offset of [0, 1]) {
    const relay = new FakeRelay();
    const key = generateKey();
    const sealing = new SealingSession({ key, channel, epoch: 1 });
    const records = [
      await sealing.begin(),
      await sealing.seal(JSON.stringify(token("a"))),
    ];
    const stream = new RelayConsumer({ ...relay.options, key }).stream();
    const reading = stream.text();
    for (const from of [0, offset]) {
      const connection = await relay.next();
      await connection.hello();
      if (from > 0) connection.events({ o: 0, by: "p", e: 1, s: 0, re: 1 }, [records[0]]);
      connection.events({ o: from, by: "p", e: 1, s: from }, records.slice(from));
      connection.send({ end: { kind: "sealed", by: "producer", offset, ts: 1 } });
      connection.close(1000);
    }
    assertEquals((await failure(reading)).code, "tampered");
  }
});
