/** What a client sends before its first message was looked at. @module */
import { assertEquals } from "@std/assert";
import { MemoryStore } from "../../../server/mod.ts";
import { until } from "../../tools/until.ts";
import { frame, TestRelay, token } from "./test_relay.ts";

/** A relay that lets its first producer in when it is told to. */
async function slowRelay(transport: "deno" | "ws") {
  const store = new MemoryStore();
  const claim = store.claim.bind(store);
  let letIn = () => {};
  const gate = new Promise<void>((resolve) => letIn = resolve);
  store.claim = async (...which) => {
    await gate;
    return await claim(...which);
  };
  return { relay: await TestRelay.start({ transport, store }), letIn: () => letIn() };
}

for (const transport of ["deno", "ws"] as const) {
  Deno.test(`early messages - a whole stream behind the secret is taken [${transport}]`, async () => {
    const { relay, letIn } = await slowRelay(transport);
    // as a Python producer, which waits for no answer, and may be gone before there could be one
    const producer = await relay.v1("produce", "c");
    for (let at = 0; at < 500; at++) producer.send(token(`${at} `));
    producer.send({ type: "done" });
    await producer.close(1000);
    letIn();
    const consumer = await relay.v1("consume", "c");
    assertEquals(await consumer.code(), 1000);
    const messages = (await consumer.rest()).map((text) => JSON.parse(text));
    assertEquals(messages.length, 501);
    assertEquals(messages.at(-1), { type: "done" });
    await relay.stop();
  });

  Deno.test(`early messages - one that is wrong leaves the channel free [${transport}]`, async () => {
    const { relay, letIn } = await slowRelay(transport);
    const producer = await relay.v2("produce", "c", { instance: "one" });
    producer.send(frame(1, 0, [token("a")]));
    producer.send('{"n":1,"e":1,"s":1}');
    producer.send(frame(1, 1, [token("never")]));
    await producer.close(1000);
    letIn();
    await until("it is gone", async () => {
      const { body } = await relay.api("GET", "/v1/channels/c");
      return body.next === 1 && !body.producer;
    });
    const { hello } = await relay.producer("c", "two");
    assertEquals([hello.epoch, hello.next], [2, 0]);
    await relay.stop();
  });

  Deno.test(`early messages - there is a bound [${transport}]`, async () => {
    const { relay, letIn } = await slowRelay(transport);
    const producer = await relay.v2("produce", "c", { instance: "one" });
    for (let at = 0; at < 17; at++) producer.send(frame(1, at, [token("x".repeat(250_000))]));
    assertEquals((await producer.json()).error.code, "overloaded");
    assertEquals(await producer.code(), 4100);
    letIn();
    await until("what was taken is kept, and it is gone", async () => {
      const { body } = await relay.api("GET", "/v1/channels/c");
      return body.next === 16 && !body.producer;
    });
    await relay.stop();
  });
}
