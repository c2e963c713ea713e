/** The v2 face of a producer: claims, acknowledgements, fencing. @module */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { onBothTransports } from "./on_both_transports.ts";
import { DONE, frame, token } from "./test_relay.ts";

onBothTransports("v2 produce - the hello says what is needed to write", async (relay) => {
  const { hello } = await relay.producer("c");
  const { v, epoch, next, window, sync, maxMessage } = hello;
  assertEquals(
    { v, epoch, next, window, sync, maxMessage },
    { v: 2, epoch: 1, next: 0, window: 1048576, sync: "memory", maxMessage: 262144 },
  );
});

onBothTransports("v2 produce - frames are acknowledged and the end is told", async (relay) => {
  const producer = await relay.producer("c");
  await producer.put([token("Hello"), token(" world")]);
  await producer.put([DONE], "done");
  const { end } = await producer.socket.json();
  assertEquals([end.kind, end.by, end.offset], ["done", "producer", 2]);
  assertEquals(await producer.socket.code(), 1000);
});

onBothTransports("v2 produce - the newest instance wins and the older is fenced", async (relay) => {
  const first = await relay.producer("c", "one");
  await first.put([token("a")]);
  const second = await relay.producer("c", "two");
  assertEquals(second.hello.epoch, 2);
  assertEquals((await first.socket.json()).error.code, "fenced");
  assertEquals(await first.socket.code(), 4513);
  // and it never claims again
  const again = await relay.v2("produce", "c", { instance: "one" });
  assertEquals((await again.json()).error.code, "fenced");
  assertEquals(await again.code(), 4513);
  await second.put([token("b")]);
});

onBothTransports("v2 produce - the same instance keeps its epoch and goes on", async (relay) => {
  const first = await relay.producer("c", "one");
  await first.put([token("a"), token("b")]);
  await first.socket.close();
  const { incarnation } = first.hello;
  const second = await relay.producer("c", "one", { incarnation });
  assertEquals([second.hello.epoch, second.hello.next], [1, 2]);
  await second.put([token("c")]);
});

onBothTransports("v2 produce - a late hello of the same instance ends nothing", async (relay) => {
  const first = await relay.producer("c", "one");
  await first.put([token("a")]);
  const second = await relay.producer("c", "one");
  // one to come back from: the client knows which of its connections it still listens to
  assertEquals((await first.socket.json()).error.code, "replaced");
  assertEquals(await first.socket.code(), 4104);
  await second.put([token("b")]);
  const { body } = await relay.api("GET", "/v1/channels/c");
  assertEquals([body.next, body.producer, body.claims.length], [2, true, 1]);
});

onBothTransports("v2 produce - what is sent again is stored once", async (relay) => {
  const producer = await relay.producer("c");
  await producer.put([token("a"), token("b")]);
  const { socket } = producer;
  socket.send(frame(1, 0, [token("a"), token("b")]));
  assertEquals((await socket.json()).ack.next, 2);
  socket.send(frame(1, 1, [token("b"), token("c"), token("d")]));
  assertEquals((await socket.json()).ack.next, 4);
  socket.send(frame(1, 3, [token("d"), DONE], "done"));
  assertEquals((await socket.json()).ack.next, 5);
  const { socket: consumer } = await relay.join("consume", "c");
  const records = (await consumer.rest()).filter((text) => text.startsWith('{"n"'))
    .flatMap((text) => text.split("\n").slice(1)).map((line) => JSON.parse(line));
  assertEquals(records, [token("a"), token("b"), token("c"), token("d"), DONE]);
});

onBothTransports("v2 produce - one acknowledgement may be for several frames", async (relay) => {
  const { socket } = await relay.producer("c");
  for (let seq = 0; seq < 3; seq++) socket.send(frame(1, seq, [token("a")]));
  socket.send(frame(1, 7, [token("late")]));
  let acknowledged = 0;
  for (;;) {
    const { ack, error } = await socket.json();
    if (error !== undefined) {
      assertEquals([acknowledged, error.code], [3, "seq_gap"]);
      return;
    }
    acknowledged = ack.next;
  }
});

onBothTransports("v2 produce - a final frame sent again is acknowledged", async (relay) => {
  const producer = await relay.producer("c");
  await producer.put([token("a"), DONE], "done");
  assertEquals(await producer.socket.code(), 1000);
  // the acknowledgement was lost: the same instance comes back
  const again = await relay.v2("produce", "c", { instance: "one" });
  const { hello } = await again.json();
  assertEquals([hello.next, hello.end.kind], [2, "done"]);
  assertEquals((await again.json()).end.offset, 1);
  assertEquals(await again.code(), 1000);
});

onBothTransports("v2 produce - a gap is refused and says what is expected", async (relay) => {
  const { socket } = await relay.producer("c");
  socket.send(frame(1, 3, [token("d")]));
  const { error } = await socket.json();
  assertEquals([error.code, error.details.expected], ["seq_gap", 0]);
  assertEquals(await socket.code(), 4511);
});

onBothTransports("v2 produce - a frame that is none is bad_request", async (relay) => {
  const frames = [
    '{"n":2,"e":1,"s":0}\n{}',
    '{"n":1,"e":1,"s":0}\n{}\n{}',
    '{"n":0,"e":1,"s":0}\n',
    '{"n":1,"e":1,"s":0}',
    '{"n":1,"e":0,"s":0}\n{}',
    '{"n":1,"e":1,"s":-1}\n{}',
    '{"n":1,"e":1,"s":0,"close":"maybe"}\n{}',
    '{"n":not JSON}\n{}',
    "not JSON",
    "[]",
    "{}",
    '{"hello":{"v":2}}',
  ];
  for (const text of frames) {
    const { socket } = await relay.producer("c", crypto.randomUUID());
    socket.send(text);
    assertEquals((await socket.json()).error.code, "bad_request", text);
    assertEquals(await socket.code(), 4500, text);
  }
  const { body } = await relay.api("GET", "/v1/channels/c");
  assertEquals([body.next, body.producer], [0, false]);
});

onBothTransports("v2 produce - an end that its record does not tell is refused", async (relay) => {
  const error = { type: "error", code: "oom", message: "Out" };
  const wrong: [object, string][] = [
    [token("a"), "done"],
    [error, "done"],
    [DONE, "error"],
    [DONE, "sealed"],
    [{ type: "enc2", e: 1, s: 0, f: 1, d: "" }, "done"],
  ];
  for (const [index, [record, close]] of wrong.entries()) {
    const { socket, send } = await relay.producer(`c${index}`);
    send([record], close);
    const answer = await socket.json();
    assertEquals(answer.error.code, "bad_request", close);
    assertStringIncludes(answer.error.message, `Cannot close as ${close}`);
    assertEquals(await socket.code(), 4500);
    const { body } = await relay.api("GET", `/v1/channels/c${index}`);
    assertEquals([body.next, body.end], [0, undefined]);
  }
  // the same by POST
  await relay.channel("p");
  const { body: claim } = await relay.api("POST", "/v1/channels/p/claim", { instance: "i" });
  const { status, body } = await relay.api(
    "POST",
    "/v1/channels/p/records",
    JSON.stringify(token("a")),
    {
      headers: {
        "content-type": "application/x-ndjson",
        "producer-id": "i",
        "producer-epoch": String(claim.epoch),
        "producer-seq": "0",
        "producer-close": "done",
      },
    },
  );
  assertEquals([status, body.error.code], [400, "bad_request"]);
});

onBothTransports("v2 produce - nothing accepted is lost by a refusal", async (relay) => {
  const producer = await relay.producer("c");
  producer.send([token("a")]);
  producer.socket.send("nonsense");
  producer.send([token("b")]);
  assertEquals(await producer.socket.code(), 4500);
  const back = await relay.producer("c");
  assertEquals(back.hello.next, 1);
  await back.put([token("b")]);
});

onBothTransports("v2 produce - binary and too large are refused", async (relay) => {
  const binary = await relay.producer("c");
  binary.socket.send(new Uint8Array([1]));
  assertEquals(await binary.socket.code(), 1003);
  const large = await relay.producer("c", "two");
  large.send([token("x".repeat(1500))]);
  assertEquals((await large.socket.json()).error.code, "too_large");
  assertEquals(await large.socket.code(), 4508);
}, { maxMessage: 1024 });

onBothTransports("v2 produce - an epoch that is not its own is refused", async (relay) => {
  const { socket } = await relay.producer("c");
  socket.send(frame(2, 0, [token("a")]));
  assertEquals((await socket.json()).error.code, "fenced");
});

onBothTransports("v2 produce - an ended channel takes no more", async (relay) => {
  const producer = await relay.producer("c");
  await relay.api("POST", "/v1/channels/c/end", { kind: "error", code: "oom", message: "Out" });
  const { end } = await producer.socket.json();
  assertEquals([end.kind, end.by, end.code], ["error", "supervisor", "oom"]);
  assertEquals(await producer.socket.code(), 1000);
  const late = await relay.v2("produce", "c", { instance: "two" });
  const { error } = await late.json();
  assertEquals([error.code, error.details.end.code], ["ended", "oom"]);
  assertEquals(await late.code(), 4506);
});

onBothTransports("v2 produce - one that starts over is announced", async (relay) => {
  const first = await relay.producer("c", "one");
  await first.put([token("a")]);
  await relay.producer("c", "two");
  const { socket } = await relay.join("consume", "c", { from: 1 });
  const [header, record] = (await socket.next()).split("\n");
  assertEquals(JSON.parse(header), { n: 1, o: 1, by: "r" });
  const { state, attempt } = JSON.parse(record);
  assertEquals([state, attempt], ["restarted", 2]);
});

onBothTransports("v2 produce - one that continues is not", async (relay) => {
  const first = await relay.producer("c", "one");
  await first.put([token("a"), token("b")]);
  for (const continues of [{ epoch: 1, count: 1 }, { epoch: 2, count: 2 }]) {
    const wrong = await relay.v2("produce", "c", { instance: "two", continues });
    const { error } = await wrong.json();
    assertEquals(error.code, "seq_gap");
    assertStringIncludes(error.message, "epoch 1 at 2");
  }
  const second = await relay.producer("c", "two", { continues: { epoch: 1, count: 2 } });
  await second.put([token("c")]);
  const { body } = await relay.api("GET", "/v1/channels/c");
  assertEquals(body.next, 3);
});

onBothTransports("v2 produce - a cancel reaches it live, and in the hello", async (relay) => {
  const producer = await relay.producer("c");
  const { body } = await relay.api("POST", "/v1/channels/c/cancel", { reason: "enough" });
  assertEquals([body.cancel.by, body.ack], ["admin", "producer"]);
  const { cancel } = await producer.socket.json();
  assertEquals([cancel.by, cancel.reason], ["admin", "enough"]);
  await producer.put([{ type: "error", code: "cancelled", message: "On request" }], "error");
  const { end } = await producer.socket.json();
  assertEquals([end.kind, end.offset], ["error", 0]);

  await relay.channel("later");
  const recorded = await relay.api("POST", "/v1/channels/later/cancel", {});
  assertEquals(recorded.body.ack, "recorded");
  const late = await relay.producer("later");
  assertEquals(late.hello.cancel.by, "admin");
});

onBothTransports("v2 produce - a full channel ends with limit after what it has", async (relay) => {
  const { socket: consumer } = await relay.join("consume", "c");
  const producer = await relay.producer("c");
  await producer.put([token("x".repeat(60))]);
  producer.send([token("y".repeat(60))]);
  const { end } = await producer.socket.json();
  assertEquals([end.kind, end.code, end.by], ["error", "limit", "relay"]);
  assertStringIncludes(await consumer.next(), "xxx");
  assertEquals((await consumer.json()).end.code, "limit");
}, { maxBuffer: 100 });

onBothTransports("v2 produce - a producer that stays away is lost", async (relay) => {
  const { socket: consumer } = await relay.join("consume", "c");
  const producer = await relay.producer("c");
  await producer.put([token("a")]);
  await producer.socket.close();
  assertStringIncludes(await consumer.next(), '"a"');
  const { end } = await consumer.json();
  assertEquals([end.code, end.by, end.offset], ["producer_lost", "relay", undefined]);
}, { producerGrace: 0.02 });

onBothTransports("v2 produce - one that is back in time is not", async (relay) => {
  const { socket: consumer } = await relay.join("consume", "c");
  const producer = await relay.producer("c");
  await producer.put([token("a")]);
  await producer.socket.close();
  const back = await relay.producer("c");
  await back.put([DONE], "done");
  const ends = (await consumer.rest()).filter((text) => text.startsWith('{"end"'));
  assertEquals(JSON.parse(ends[0]).end.kind, "done");
});
