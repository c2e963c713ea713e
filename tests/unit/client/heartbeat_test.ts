/** Connections that die without a word. @module */
import { assertEquals } from "@std/assert";
import { RelayConsumer, RelayProducer, RelaySupervisor } from "../../../client/mod.ts";
import { test } from "../../tools/test.ts";
import { ack, connected, line } from "./fake_connection.ts";
import { FakeRelay, token } from "./fake_relay.ts";
import { relayTest } from "./real_relay.ts";

test("heartbeat - an idle producer notices, and goes on", async () => {
  const [producer, connection, relay] = await connected({ pingAfter: 1 }, { ping: true });
  assertEquals(await connection.control(), { ping: {} });
  assertEquals(await connection.closed, 1000);
  const second = await relay.next();
  await second.hello({ epoch: 1, next: 0, window: 1000 });
  await producer.token("a");
  assertEquals((await second.frame()).lines, [line("a")]);
  ack(second, 1);
  await producer.close();
});

test("heartbeat - a consumer notices, and goes on at its offset", async () => {
  const relay = new FakeRelay();
  const stream = new RelayConsumer({ ...relay.options, pingAfter: 1 }).stream();
  const reading = stream[Symbol.asyncIterator]();
  const first = await relay.next();
  await first.hello({ ping: true });
  first.events({ o: 0, by: "p", e: 1, s: 0 }, [token("a")]);
  assertEquals((await reading.next()).value, "a");
  assertEquals(await first.closed, 1000);
  const second = await relay.next();
  assertEquals((await second.hello()).from, 1);
  second.events({ o: 1, by: "p", e: 1, s: 1 }, [{ type: "done", reason: "completed" }]);
  assertEquals((await reading.next()).done, true);
});

test("heartbeat - one that is answered, or hears something else, stays", async () => {
  const [producer, connection, relay] = await connected({ pingAfter: 20 }, { ping: true });
  for (let asked = 0; asked < 3; asked++) {
    assertEquals(await connection.control(), { ping: {} });
    if (asked === 1) ack(connection, 0);
    else connection.send({ pong: {} });
  }
  assertEquals(relay.count, 1);
  await producer.close();
});

test("heartbeat - a supervisor notices, and hears of the end", async () => {
  const relay = new FakeRelay();
  const ended = new Promise((resolve) => {
    new RelaySupervisor({ ...relay.options, pingAfter: 1, onEnd: resolve }).connect();
  });
  await (await relay.next()).hello({ ping: true });
  const end = { kind: "done", by: "producer", offset: 3, ts: 1 };
  await (await relay.next()).hello({ end });
  assertEquals(await ended, end);
});

const RETRY = { base: 5, cap: 50 };

for (const side of ["near", "far", "neither"] as const) {
  const which = { near: "the clients'", far: "the relay's", neither: "no" }[side];
  relayTest(
    `heartbeat - a path that dies, and tells ${which} side, ends no stream`,
    async ({ proxy, proxyUrl, secret, control }) => {
      const { id } = await control.createChannel();
      const at = { url: proxyUrl, channel: id, token: secret, retry: RETRY, pingAfter: 100 };
      const tokens = new RelayConsumer(at).stream()[Symbol.asyncIterator]();
      const producer = new RelayProducer(at);
      for (const text of ["a", "b", "c"]) {
        await producer.token(text);
        assertEquals((await tokens.next()).value, text);
        // both are idle now: there is nothing by which they would notice but their own asking
        if (side === "neither") proxy.swallow();
        else proxy.forget(side);
      }
      await producer.done();
      assertEquals((await tokens.next()).done, true);
    },
  );
}
