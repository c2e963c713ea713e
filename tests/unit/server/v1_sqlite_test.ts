/** v1 messages on a store that takes its time. @module */
import { assertEquals, assertLess } from "@std/assert";
import { openSqliteStore } from "../../../server/mod.ts";
import { TestRelay } from "./test_relay.ts";

for (const transport of ["deno", "ws"] as const) {
  Deno.test(`v1 on sqlite - what comes during a commit is committed together [${transport}]`, async () => {
    const path = await Deno.makeTempDir();
    const store = await openSqliteStore({ path });
    let appends = 0;
    const append = store.append.bind(store);
    store.append = (...call) => {
      appends++;
      return append(...call);
    };
    const relay = await TestRelay.start({ transport, store });
    try {
      const consumer = await relay.v1("consume", "c");
      const producer = await relay.v1("produce", "c");
      // spaces and key order as Python writes them
      const messages = Array.from(
        { length: 2000 },
        (_, i) => `{"type": "token",  "content": "${i}"}`,
      );
      for (const message of messages) producer.send(message);
      producer.send('{"type": "done", "usage": {}}');
      const got = await consumer.rest();
      assertEquals(got, [...messages, '{"type": "done", "usage": {}}']);
      assertLess(appends, messages.length / 2);
    } finally {
      await relay.stop();
      await Deno.remove(path, { recursive: true });
    }
  });
}
