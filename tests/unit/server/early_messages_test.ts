/** What a client sends before its first message was looked at. @module */
import { assertEquals } from "@std/assert";
import { MemoryStore } from "../../../server/mod.ts";
import { TestRelay, token } from "./test_relay.ts";

for (const transport of ["deno", "ws"] as const) {
  Deno.test(`early messages - a whole stream behind the secret is taken [${transport}]`, async () => {
    const store = new MemoryStore();
    const claim = store.claim.bind(store);
    let letIn = () => {};
    const gate = new Promise<void>((resolve) => letIn = resolve);
    store.claim = async (...which) => {
      await gate;
      return await claim(...which);
    };
    const relay = await TestRelay.start({ transport, store });
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
}
