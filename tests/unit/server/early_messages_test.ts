/** What a client sends before its first message was looked at. @module */
import { assertEquals } from "@std/assert";
import { onBothTransports } from "./on_both_transports.ts";
import { token } from "./test_relay.ts";

onBothTransports(
  "early messages - a whole stream right behind the secret is taken",
  async (relay) => {
    // as a Python producer does, which waits for no answer and may be gone before it could have one
    const producer = await relay.socket("/produce/c");
    producer.send({ type: "auth", secret: relay.secret });
    for (let at = 0; at < 500; at++) producer.send(token(`${at} `));
    producer.send({ type: "done" });
    await producer.close(1000);
    const consumer = await relay.v1("consume", "c");
    assertEquals(await consumer.code(), 1000);
    const messages = (await consumer.rest()).map((text) => JSON.parse(text));
    assertEquals(messages.map(({ content = "" }) => content).join("").split(" ").length, 501);
    assertEquals(messages.at(-1), { type: "done" });
  },
);
