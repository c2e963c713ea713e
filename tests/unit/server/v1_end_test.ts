/** How streams end for a client of the Python package. @module */
import { assertEquals } from "@std/assert";
import { onBothTransports } from "./on_both_transports.ts";
import { DONE, frame, type TestRelay, token } from "./test_relay.ts";

const FAILURE = { type: "error", code: "oom", message: "Out of memory" };

onBothTransports("v1 end - the done after an error is swallowed", async (relay) => {
  const consumer = await relay.v1("consume", "c");
  const producer = await relay.v1("produce", "c");
  producer.send(FAILURE);
  producer.send({ type: "done" });
  assertEquals(await consumer.json(), FAILURE);
  // Python's consumer stops at done, so it is sent one all the same
  assertEquals(await consumer.json(), { type: "done" });
  assertEquals(await consumer.code(), 1000);
  const { body } = await relay.api("GET", "/v1/channels/c");
  assertEquals([body.end.kind, body.end.offset, body.next], ["error", 0, 1]);
});

onBothTransports("v1 end - one set by a supervisor comes as error and done", async (relay) => {
  const consumer = await relay.v1("consume", "c");
  const producer = await relay.v1("produce", "c");
  producer.send(token("a"));
  assertEquals(await consumer.json(), token("a"));
  await relay.api("POST", "/v1/channels/c/end", {
    kind: "error",
    code: "oom",
    message: "Out of memory",
    details: { node: "n1" },
  });
  for (const each of [consumer, await relay.v1("consume", "c")]) {
    const { code } = await each.closed;
    const messages = (await each.rest()).map((text) => JSON.parse(text))
      .filter(({ type }) => type !== "token");
    assertEquals(messages, [{ ...FAILURE, details: { node: "n1" } }, { type: "done" }]);
    assertEquals(code, 1000);
  }
  assertEquals(await producer.code(), 1000);
});

onBothTransports("v1 end - enc messages and close 1000 seal the stream", async (relay) => {
  const consumer = await relay.v1("consume", "c");
  const producer = await relay.v1("produce", "c");
  producer.send('{"type": "enc", "d": "AAAA"}');
  await producer.close(1000);
  assertEquals(await consumer.next(), '{"type": "enc", "d": "AAAA"}');
  assertEquals(await consumer.code(), 1000);
  assertEquals(await consumer.rest(), []);
  const { body } = await relay.api("GET", "/v1/channels/c");
  assertEquals([body.end.kind, body.end.by], ["sealed", "producer"]);
});

onBothTransports("v1 end - without an end a closed producer is lost", async (relay) => {
  const consumer = await relay.v1("consume", "c");
  const producer = await relay.v1("produce", "c");
  producer.send(token("a"));
  await producer.close(1000);
  assertEquals(await consumer.json(), token("a"));
  assertEquals((await consumer.json()).code, "producer_lost");
  assertEquals(await consumer.json(), { type: "done" });
  assertEquals(await consumer.code(), 1000);
}, { producerGrace: 0.01 });

onBothTransports("v1 end - a deleted channel ends as expired", async (relay) => {
  const consumer = await relay.v1("consume", "c");
  const producer = await relay.v1("produce", "c");
  producer.send("1");
  assertEquals(await consumer.next(), "1");
  assertEquals((await relay.api("DELETE", "/v1/channels/c")).status, 204);
  assertEquals((await consumer.json()).code, "expired");
  assertEquals(await consumer.json(), { type: "done" });
  assertEquals(await consumer.code(), 1000);
  assertEquals(await producer.code(), 1000);
});

onBothTransports("v1 end - a cancelled producer is closed and its stream ends", async (relay) => {
  const consumer = await relay.v1("consume", "c");
  const producer = await relay.v1("produce", "c");
  producer.send("1");
  assertEquals(await consumer.next(), "1");
  const { body } = await relay.api("POST", "/v1/channels/c/cancel", { reason: "enough" });
  assertEquals([body.cancel.reason, body.ack], ["enough", "producer"]);
  assertEquals(await producer.code(), 1000);
  assertEquals((await consumer.json()).code, "cancelled");
  assertEquals(await consumer.json(), { type: "done" });
});

onBothTransports("v1 end - what v1 wrote is read on v2, and the other way round", async (relay) => {
  const v1 = await relay.v1("produce", "a");
  v1.send("not JSON");
  v1.send(DONE);
  const { socket } = await relay.join("consume", "a");
  const frames = [await socket.next()];
  // what came in one go is one frame
  if (frames[0].startsWith('{"n":1,')) frames.push(await socket.next());
  const lines = frames.flatMap((text) => text.split("\n").slice(1));
  assertEquals(lines, ["not JSON", JSON.stringify(DONE)]);
  assertEquals((await socket.json()).end.offset, 1);

  const producer = await relay.v2("produce", "b", { instance: "i" });
  await producer.next();
  producer.send(frame(1, 0, [token("x"), token("y"), DONE], "done"));
  const consumer = await relay.v1("consume", "b");
  assertEquals([await consumer.json(), await consumer.json()], [token("x"), token("y")]);
  assertEquals(await consumer.json(), DONE);
  assertEquals(await consumer.code(), 1000);
});

onBothTransports("v1 end - a v2 producer takes over from a v1 producer", async (relay) => {
  const old = await relay.v1("produce", "c");
  old.send("1");
  const consumer = await relay.v1("consume", "c");
  assertEquals(await consumer.next(), "1");
  await relay.producer("c");
  assertEquals(await old.code(), 4001);
});

onBothTransports("v1 end - a channel that is full ends with limit", async (relay) => {
  const consumer = await relay.v1("consume", "c");
  const producer = await relay.v1("produce", "c");
  const text = "x".repeat(60);
  producer.send(text);
  assertEquals(await consumer.next(), text);
  producer.send(text);
  assertEquals((await consumer.json()).code, "limit");
  assertEquals(await producer.code(), 1000);
}, { maxBuffer: 100 });

/** Makes a stream that is over. */
async function complete(relay: TestRelay): Promise<void> {
  const producer = await relay.v1("produce", "c");
  producer.send({ type: "done" });
  await producer.close(1000);
}

onBothTransports(
  "v1 end - without a secret, who says one after the end is closed at once",
  async (relay) => {
    await complete(relay);
    // Python's client says its secret, if it has one, before it reads
    const consumer = await relay.socket("/consume/c");
    assertEquals(await consumer.json(), { type: "done" });
    consumer.send({ type: "auth", secret: "unasked" });
    assertEquals(await consumer.code(), 1000);
    assertEquals(await consumer.rest(), []);
  },
  { insecure: true },
);

onBothTransports(
  "v1 end - without a secret, who says nothing is closed all the same",
  async (relay) => {
    await complete(relay);
    const [leaves, stays] = [await relay.socket("/consume/c"), await relay.socket("/consume/c")];
    assertEquals(await leaves.json(), { type: "done" });
    await leaves.close(1000);
    assertEquals(await stays.json(), { type: "done" });
    assertEquals(await stays.code(), 1000);
  },
  { insecure: true },
);
