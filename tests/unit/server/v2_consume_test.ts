/** The v2 face of a consumer: offsets, credit, ends, cancel. @module */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { onBothTransports } from "./on_both_transports.ts";
import { DONE, type TestRelay, token } from "./test_relay.ts";

/** Writes ten tokens, `0` to `9`, as frames of three, three, three and one. */
async function writeTen(relay: TestRelay, id: string): Promise<void> {
  const producer = await relay.producer(id);
  const tokens = Array.from({ length: 10 }, (_, index) => token(String(index)));
  for (const at of [0, 3, 6, 9]) await producer.put(tokens.slice(at, at + 3));
}

/** Header and contents of a frame. */
function read(text: string): { header: Record<string, unknown>; content: string } {
  const [header, ...lines] = text.split("\n");
  return {
    header: JSON.parse(header),
    content: lines.map((line) => JSON.parse(line).content).join(""),
  };
}

onBothTransports("v2 consume - every offset is found, also within a frame", async (relay) => {
  await writeTen(relay, "c");
  for (let from = 0; from < 10; from++) {
    const { socket, hello } = await relay.join("consume", "c", { from });
    assertEquals([hello.from, hello.next], [from, 10]);
    const first = read(await socket.next());
    // neighbouring frames of one writer come as one
    assertEquals(first.header, { n: 10 - from, o: from, by: "p", e: 1, s: from });
    assertEquals(first.content, "0123456789".slice(from));
  }
  const { hello } = await relay.join("consume", "c", { from: 10 });
  assertEquals(hello.next, 10);
});

onBothTransports("v2 consume - beyond the tail is bad_offset and leaves nothing", async (relay) => {
  await relay.channel("c");
  const socket = await relay.v2("consume", "c", { from: 1 });
  const { error } = await socket.json();
  assertEquals([error.code, error.details.next], ["bad_offset", 0]);
  assertEquals(await socket.code(), 4509);
  assertEquals(relay.relay.activeChannels, 0);
});

onBothTransports("v2 consume - frames say who wrote", async (relay) => {
  const { socket } = await relay.join("consume", "c");
  const supervisor = await relay.join("supervise", "c");
  supervisor.socket.send({ status: { state: "queued", position: 3 } });
  const [header, record] = (await socket.next()).split("\n");
  assertEquals(JSON.parse(header), { n: 1, o: 0, by: "s" });
  const { type, state, position, ts } = JSON.parse(record);
  assertEquals([type, state, position, typeof ts], ["status", "queued", 3, "number"]);
  const producer = await relay.producer("c");
  await producer.put([token("a")]);
  assertEquals(read(await socket.next()).header, { n: 1, o: 1, by: "p", e: 1, s: 0 });
});

onBothTransports("v2 consume - record lines pass untouched", async (relay) => {
  const line = '  {"content": "\\u00e9\uFEFF\u2028" ,"type":"token"}\t';
  const producer = await relay.producer("c");
  await producer.put([line]);
  const { socket } = await relay.join("consume", "c");
  assertEquals((await socket.next()).split("\n")[1], line);
});

onBothTransports("v2 consume - the end comes after the tail, live and later", async (relay) => {
  const live = await relay.join("consume", "c");
  const producer = await relay.producer("c");
  await producer.put([token("a"), DONE], "done");
  for (const { socket } of [live, await relay.join("consume", "c")]) {
    assertStringIncludes(await socket.next(), '"n":2');
    const { end } = await socket.json();
    assertEquals([end.kind, end.by, end.offset], ["done", "producer", 1]);
    assertEquals(await socket.code(), 1000);
  }
  // from behind its last record there is the end alone
  const { socket } = await relay.join("consume", "c", { from: 2 });
  assertEquals((await socket.json()).end.kind, "done");
});

onBothTransports("v2 consume - an end set by others is told with its facts", async (relay) => {
  const { socket } = await relay.join("consume", "c");
  const verdict = { code: "oom", message: "Out of memory", details: { node: "n1" } };
  await relay.api("POST", "/v1/channels/c/end", { kind: "error", ...verdict });
  const { end } = await socket.json();
  assertEquals(end, { kind: "error", by: "supervisor", ...verdict, ts: end.ts });
  assertEquals(await socket.code(), 1000);
});

onBothTransports("v2 consume - without credit nothing more comes", async (relay) => {
  await relay.channel("c");
  const producer = await relay.producer("c");
  const auth = await relay.token("c", "consume");
  const { socket } = await relay.join("consume", "c", { credit: 1, auth });
  // so large that the relay keeps each in a frame of its own
  const [a, b, c] = ["a", "b", "c"].map((letter) => letter.repeat(20_000));
  for (const text of [a, b, c]) await producer.put([token(text)]);
  // the credit is passed by the frame that used it up
  const first = await socket.next();
  assertEquals(read(first).content, a);
  // the answer to a question overtakes what waits for credit
  socket.send({ cancel: {} });
  assertEquals((await socket.json()).cancel.error.code, "forbidden");
  socket.send({ credit: { bytes: first.length + 1 } });
  assertEquals(read(await socket.next()).content, b);
  socket.send({ cancel: {} });
  assertEquals((await socket.json()).cancel.error.code, "forbidden");
  socket.send({ credit: { bytes: 1e9 } });
  assertEquals(read(await socket.next()).content, c);
  await producer.put([DONE], "done");
  assertStringIncludes(await socket.next(), "done");
  assertEquals((await socket.json()).end.kind, "done");
});

onBothTransports("v2 consume - credit 0 holds back everything but the hello", async (relay) => {
  await writeTen(relay, "c");
  const { socket } = await relay.join("consume", "c", { credit: 0 });
  socket.send({ credit: { bytes: 1 } });
  assertEquals(read(await socket.next()).content, "012");
});

onBothTransports("v2 consume - a message that is none is bad_request", async (relay) => {
  const messages = [
    "x",
    "{}",
    '{"credit":{}}',
    '{"credit":{"bytes":-1}}',
    '{"cancel":{"reason":7}}',
  ];
  for (const message of messages) {
    const { socket } = await relay.join("consume", "c");
    socket.send(message);
    assertEquals((await socket.json()).error.code, "bad_request", message);
    assertEquals(await socket.code(), 4500, message);
  }
});

onBothTransports("v2 consume - whoever may cancel is answered", async (relay) => {
  const producer = await relay.producer("c");
  const auth = await relay.token("c", "consume", "cancel");
  const { socket } = await relay.join("consume", "c", { auth });
  socket.send({ cancel: { reason: "enough" } });
  const { cancel } = await socket.json();
  assertEquals([cancel.by, cancel.reason, cancel.ack], ["consumer", "enough", "producer"]);
  assertEquals((await producer.socket.json()).cancel.reason, "enough");
  // the first wish stands, and later consumers see it
  socket.send({ cancel: { reason: "again" } });
  assertEquals((await socket.json()).cancel.reason, "enough");
  const { hello } = await relay.join("consume", "c");
  assertEquals(hello.cancel.reason, "enough");
});

onBothTransports("v2 consume - whoever may not is refused and reads on", async (relay) => {
  const { tokens } = await relay.channel("c");
  const producer = await relay.producer("c");
  const { socket } = await relay.join("consume", "c", { auth: tokens.consume });
  socket.send({ cancel: { reason: "please" } });
  assertEquals((await socket.json()).cancel.error.code, "forbidden");
  await producer.put([token("on")]);
  assertEquals(read(await socket.next()).content, "on");
  const { body } = await relay.api("GET", "/v1/channels/c");
  assertEquals(body.cancel, undefined);
});

onBothTransports("v2 consume - one that leaves never cancels", async (relay) => {
  const producer = await relay.producer("c");
  const { socket } = await relay.join("consume", "c");
  await socket.close();
  await producer.put([token("a")]);
  const { body } = await relay.api("GET", "/v1/channels/c");
  assertEquals([body.cancel, body.consumers, body.producer], [undefined, 0, true]);
});

onBothTransports("v2 consume - a deleted channel tells expired", async (relay) => {
  const { socket } = await relay.join("consume", "c");
  const supervisor = await relay.join("supervise", "c");
  const producer = await relay.producer("c");
  await relay.api("DELETE", "/v1/channels/c");
  assertEquals((await socket.json()).error.code, "expired");
  assertEquals(await socket.code(), 4502);
  assertEquals(await supervisor.socket.code(), 4502);
  assertEquals(await producer.socket.code(), 4502);
  assertEquals(relay.relay.activeChannels, 0);
});

onBothTransports("v2 consume - a relay that closes says so on every face", async (relay) => {
  const sockets = [
    (await relay.join("consume", "c")).socket,
    (await relay.join("supervise", "c")).socket,
    (await relay.producer("c")).socket,
  ];
  assertEquals((await sockets[1].json()).status.state, "connected");
  await relay.relay.close();
  for (const socket of sockets) {
    assertEquals((await socket.json()).error.code, "overloaded");
    assertEquals(await socket.code(), 1012);
  }
  await relay.relay.finished;
});
