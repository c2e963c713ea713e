/** A relay that was told to stop. @module */
import { assertEquals, assertMatch } from "@std/assert";
import { mintToken, openSqliteStore, serveRelay } from "../../../server/mod.ts";
import { onBothTransports } from "./on_both_transports.ts";
import { DONE, token } from "./test_relay.ts";

onBothTransports("drain - streams may end, new channels are refused", async (relay) => {
  const producer = await relay.producer("c", "p");
  await producer.put([token("a")]);
  const consumer = await relay.join("consume", "c");
  assertEquals((await relay.api("POST", "/v1/drain", { seconds: 3600 })).status, 202);

  const refused = await relay.api("POST", "/v1/channels", {});
  assertEquals([refused.status, refused.body.error.code], [503, "overloaded"]);
  const late = await relay.socket("/v2/produce/another");
  late.send({ hello: { v: 2, auth: relay.secret, instance: "q" } });
  assertEquals((await late.json()).error.code, "overloaded");
  assertEquals(await late.code(), 4100);
  const health = await relay.api("GET", "/health");
  assertEquals([health.status, health.body.status], [503, "draining"]);

  // what runs goes on, and whoever belongs to it still gets in
  const second = await relay.join("consume", "c");
  await producer.put([token("b"), DONE], "done");
  for (const { socket } of [consumer, second]) {
    assertMatch((await socket.rest()).join("\n"), /"content":"b"[^]*"end":/);
  }
  // nobody is left: the hour need not pass
  await relay.relay.finished;
});

onBothTransports("drain - when the time is over everybody is told to come back", async (relay) => {
  const producer = await relay.producer("c", "p");
  await producer.put([token("a")]);
  const answer = await relay.api("POST", "/v1/drain");
  assertEquals([answer.status, answer.body], [202, { channels: 1 }]);
  const told = await producer.socket.json();
  assertEquals(told.error.code, "overloaded");
  assertEquals(await producer.socket.code(), 1012);
  await relay.relay.finished;
});

onBothTransports("drain - a second word may shorten it", async (relay) => {
  await relay.producer("c", "p");
  relay.relay.drain(3600);
  await relay.relay.drain(0);
});

onBothTransports("drain - is for admins", async (relay) => {
  const auth = await mintToken(relay.secret, {
    prefix: "",
    roles: ["create", "produce", "consume", "supervise", "cancel"],
  });
  assertEquals((await relay.api("POST", "/v1/drain", undefined, { auth })).status, 403);
  assertEquals((await relay.api("POST", "/v1/drain", { seconds: -1 })).status, 400);
  assertEquals((await relay.api("GET", "/health")).status, 200);
});

Deno.test("drain - quotas still hold in the relay that comes after", async () => {
  const path = await Deno.makeTempDir();
  const secret = "a root secret that is long enough";
  const auth = await mintToken(secret, { prefix: "ann-", roles: ["create"] });
  const make = async (times: number) => {
    const relay = await serveRelay({
      port: 0,
      secret,
      channelsPerToken: 2,
      store: await openSqliteStore({ path, sync: "normal" }),
    });
    const statuses: number[] = [];
    for (let i = 0; i < times; i++) {
      const answer = await fetch(`${relay.url.replace("ws", "http")}/v1/channels`, {
        method: "POST",
        headers: { authorization: `Bearer ${auth}` },
      });
      statuses.push(answer.status);
      await answer.body?.cancel();
    }
    await relay.drain();
    return statuses;
  };
  try {
    assertEquals(await make(1), [201]);
    assertEquals(await make(2), [201, 413]);
  } finally {
    await Deno.remove(path, { recursive: true });
  }
});
