/** What the relay does for an encrypted channel: the session in force, no plaintext, no output. @module */
import { assertEquals } from "@std/assert";
import { generateKey, SealingSession } from "../../../stream/mod.ts";
import { onBothTransports } from "./on_both_transports.ts";
import { DONE, type TestRelay, token } from "./test_relay.ts";

const ERROR = '{"type":"error","code":"oom","message":"Out","details":{"stderr":"secret"}}';
const FAILING = { exitCode: 3, stderr: "secret" };

/** The session record, one record a text, and the end of an epoch. */
async function sealed(epoch: number, texts: string[], end = JSON.stringify(DONE)) {
  const session = new SealingSession({ key: generateKey(), channel: "c", epoch });
  const begin = await session.begin();
  const records = [];
  for (const text of texts) records.push(await session.seal(JSON.stringify(token(text))));
  return { begin, records, end: await session.end(end) };
}

/** The first frame that a reader gets from an offset on. */
async function firstFrame(relay: TestRelay, from: number) {
  const { socket } = await relay.join("consume", "c", { from });
  const [header, ...lines] = (await socket.next()).split("\n");
  return { header: JSON.parse(header), lines };
}

onBothTransports("v2 sealed - a reader in the middle gets its session first", async (relay) => {
  const first = await sealed(1, ["a", "b"]);
  const second = await sealed(2, ["c"]);
  await (await relay.producer("c", "one")).put([first.begin, ...first.records]);
  // a status of the relay's own stands between: `restarted`
  await (await relay.producer("c", "two")).put([second.begin, ...second.records]);

  const whole = await firstFrame(relay, 0);
  assertEquals(whole.header, { n: 3, o: 0, by: "p", e: 1, s: 0 });
  for (const from of [1, 2, 3, 4]) {
    const { header, lines } = await firstFrame(relay, from);
    assertEquals(header, { n: 1, o: 0, by: "p", e: 1, s: 0, re: 1 });
    assertEquals(lines, [first.begin]);
  }
  for (const from of [5, 6]) {
    const { header, lines } = await firstFrame(relay, from);
    assertEquals(header, { n: 1, o: 4, by: "p", e: 2, s: 0, re: 1 });
    assertEquals(lines, [second.begin]);
  }
});

onBothTransports(
  "v2 sealed - a session behind other records of its frame is found",
  async (relay) => {
    const { begin, records } = await sealed(1, ["a"]);
    const { socket } = await relay.join("supervise", "c");
    socket.send({ status: { state: "queued" } });
    const producer = await relay.producer("c");
    await producer.put([begin]);
    await producer.put(records);
    const { header, lines } = await firstFrame(relay, 2);
    assertEquals(header.re, 1);
    assertEquals(lines, [begin]);
  },
);

onBothTransports("v2 sealed - a stream in plaintext has no session", async (relay) => {
  await (await relay.producer("c")).put([token("a"), token("b")]);
  const { header } = await firstFrame(relay, 1);
  assertEquals(header, { n: 1, o: 1, by: "p", e: 1, s: 1 });
});

onBothTransports("v2 sealed - a keyed channel takes no plaintext", async (relay) => {
  const { begin, records } = await sealed(1, ["a"]);
  await relay.channel("c", { keyed: true });
  const good = await relay.producer("c", "one");
  await good.put([begin, ...records, { type: "status", state: "running" }]);
  for (const [at, record] of [token("a"), DONE, "no JSON", '{"a":1,"type":"enc2"}'].entries()) {
    const bad = await relay.producer("c", `bad ${at}`);
    bad.send([begin, record]);
    assertEquals((await bad.socket.json()).error.code, "bad_request");
  }
  const curl = await relay.api("PUT", "/v1/pipe/c", "Hello");
  assertEquals(curl.status, 400);
  // as Python writes it
  await (await relay.producer("c", "python")).put(['{"type": "enc", "d": "AAAA"}']);
});

onBothTransports("v2 sealed - a supervisor gets a sealed failure as it is", async (relay) => {
  const { begin, end } = await sealed(1, [], ERROR);
  await relay.channel("c", { keyed: true });
  const { socket } = await relay.join("supervise", "c", { lease: 60 });
  const producer = await relay.producer("c");
  assertEquals((await socket.json()).status.state, "connected");
  await producer.put([begin, end], "error");
  const { status } = await socket.json();
  const session = JSON.parse(begin);
  assertEquals(status, { state: "failing", sealed: JSON.parse(end), session });

  socket.send({ status: { state: "failing", details: FAILING } });
  const ended = await relay.api("POST", "/v1/channels/c/end", {
    kind: "error",
    code: "oom",
    message: "Out",
    details: FAILING,
  });
  assertEquals(ended.body.end.details, { exitCode: 3 });
  const { socket: reader } = await relay.join("consume", "c");
  assertEquals((await reader.rest()).join("\n").includes("secret"), false);
});

onBothTransports("v2 sealed - without a supervisor a sealed failure ends", async (relay) => {
  const { begin, end } = await sealed(1, [], ERROR);
  await relay.channel("c", { keyed: true });
  const producer = await relay.producer("c");
  await producer.put([begin, end], "error");
  const told = (await producer.socket.json()).end;
  assertEquals([told.kind, told.by, told.offset], ["error", "producer", 1]);
});

onBothTransports("v2 sealed - a POST may close with sealed", async (relay) => {
  const { begin, records, end } = await sealed(1, ["a"]);
  await relay.channel("c", { keyed: true });
  await relay.api("POST", "/v1/channels/c/claim", { instance: "py" });
  const { body } = await relay.api(
    "POST",
    "/v1/channels/c/records",
    [begin, ...records, end].join("\n"),
    {
      headers: {
        "producer-id": "py",
        "producer-epoch": "1",
        "producer-seq": "0",
        "producer-close": "sealed",
        "content-type": "application/x-ndjson",
      },
    },
  );
  assertEquals([body.end.kind, body.end.offset], ["sealed", 2]);
});
