/** What a client of the Python package sees. @module */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { mintToken } from "../../../server/mod.ts";
import { until } from "../../tools/until.ts";
import { onBothTransports } from "./on_both_transports.ts";
import { DONE, token } from "./test_relay.ts";

onBothTransports("v1 - a secret as first message opens both sides", async (relay) => {
  const consumer = await relay.v1("consume", "c");
  const producer = await relay.v1("produce", "c");
  producer.send('{"type": "token", "content": "Hi"}');
  assertEquals(await consumer.next(), '{"type": "token", "content": "Hi"}');
});

onBothTransports("v1 - a secret in the URL is taken, with a warning", async (relay) => {
  const query = `?secret=${encodeURIComponent(relay.secret)}`;
  const producer = await relay.socket(`/produce/c${query}`);
  const consumer = await relay.socket(`/consume/c${query}`);
  // Python's client says it again
  producer.send({ type: "auth", secret: relay.secret });
  producer.send("{}");
  assertEquals(await consumer.next(), "{}");
  const warning = relay.lines.find(({ level }) => level === "warn");
  assertStringIncludes(warning?.message ?? "", "secret");
  assert(!JSON.stringify(relay.lines).includes(relay.secret));
});

onBothTransports("v1 - a wrong secret is closed with 4003", async (relay) => {
  assertEquals(await (await relay.v1("produce", "c", "wrong")).code(), 4003);
  assertEquals(await (await relay.v1("consume", "c", "wrong")).code(), 4003);
  assertEquals(await (await relay.socket("/consume/c?secret=wrong")).code(), 4003);
  const silent = await relay.socket("/produce/c");
  silent.send('{"type": "token", "content": "no auth"}');
  assertEquals(await silent.code(), 4003);
  assertEquals(relay.relay.activeChannels, 0);
});

onBothTransports("v1 - no secret in time is closed with 4003", async (relay) => {
  assertEquals(await (await relay.socket("/produce/c")).code(), 4003);
  assertEquals(await (await relay.socket("/consume/c")).code(), 4003);
}, { authTimeout: 0.02 });

onBothTransports("v1 - unknown paths and bad ids are closed with 4000", async (relay) => {
  for (const path of ["/", "/nowhere/c", "/produce", "/produce/a/b", "/produce/a%20b", "/v3/x/y"]) {
    assertEquals(await (await relay.socket(path)).code(), 4000, path);
  }
  assertEquals(await (await relay.v1("consume", "x".repeat(129))).code(), 4000);
});

onBothTransports("v1 - a second producer is closed with 4001, the first goes on", async (relay) => {
  const consumer = await relay.v1("consume", "c");
  const first = await relay.v1("produce", "c");
  first.send("1");
  assertEquals(await consumer.next(), "1");
  assertEquals(await (await relay.v1("produce", "c")).code(), 4001);
  first.send("2");
  assertEquals(await consumer.next(), "2");
});

onBothTransports("v1 - every consumer gets everything from the start", async (relay) => {
  const early = await relay.v1("consume", "c");
  const producer = await relay.v1("produce", "c");
  for (const text of ["1", "2", "3"]) producer.send(text);
  assertEquals([await early.next(), await early.next(), await early.next()], ["1", "2", "3"]);
  const late = await relay.v1("consume", "c");
  assertEquals([await late.next(), await late.next(), await late.next()], ["1", "2", "3"]);
  producer.send(DONE);
  for (const consumer of [early, late, await relay.v1("consume", "c")]) {
    assertEquals(await consumer.code(), 1000);
    assertEquals((await consumer.rest()).at(-1), JSON.stringify(DONE));
  }
});

onBothTransports("v1 - messages are forwarded byte for byte", async (relay) => {
  const messages = [
    '  { "type" :"token",   "content": "a" }  ',
    '{"content": "\\u00e9\\ud83d\\ude00", "type": "token"}',
    '{"type": "token", "content": "é😀 \u2028 \u0000"}',
    "\uFEFFnot JSON at all",
    "\ttabs\t",
    '{"type": "\\u0064one but not really"}',
    "[1,2]",
  ];
  const producer = await relay.v1("produce", "c");
  for (const message of messages) producer.send(message);
  const consumer = await relay.v1("consume", "c");
  for (const message of messages) assertEquals(await consumer.next(), message);
});

onBothTransports("v1 - line breaks inside of JSON become spaces", async (relay) => {
  const producer = await relay.v1("produce", "c");
  producer.send('{\r\n "type": "token",\n "content": "a\\nb"\n}');
  const consumer = await relay.v1("consume", "c");
  assertEquals(await consumer.next(), '{   "type": "token",  "content": "a\\nb" }');
});

onBothTransports("v1 - a line break outside of JSON is refused with 1007", async (relay) => {
  const producer = await relay.v1("produce", "c");
  producer.send("kept");
  producer.send("two\nlines");
  assertEquals(await producer.code(), 1007);
  const consumer = await relay.v1("consume", "c");
  assertEquals(await consumer.next(), "kept");
});

onBothTransports("v1 - binary is refused with 1003", async (relay) => {
  const producer = await relay.v1("produce", "c");
  producer.send(new Uint8Array([1, 2]));
  assertEquals(await producer.code(), 1003);
});

onBothTransports("v1 - a message over the limit is refused with 1009", async (relay) => {
  const producer = await relay.v1("produce", "c");
  const fits = JSON.stringify("x".repeat(1022));
  producer.send(fits);
  // 1,024 characters, but 1,025 bytes
  producer.send(JSON.stringify("é" + "x".repeat(1021)));
  assertEquals(await producer.code(), 1009);
  const consumer = await relay.v1("consume", "c");
  assertEquals(await consumer.next(), fits);
  const far = await relay.v1("produce", "d");
  far.send("x".repeat(100_000));
  assertEquals(await far.code(), 1009);
}, { maxMessage: 1024 });

onBothTransports("v1 - a producer may connect long after its consumer", async (relay) => {
  const consumers = await Promise.all([1, 2, 3].map(() => relay.v1("consume", "c")));
  await until("all wait", async () => {
    return (await relay.api("GET", "/v1/channels/c")).body.consumers === 3;
  }, { every: 5 });
  const producer = await relay.v1("produce", "c");
  producer.send(token("late"));
  for (const consumer of consumers) assertEquals(await consumer.json(), token("late"));
});

onBothTransports("v1 - health over WebSocket and HTTP", async (relay) => {
  await relay.join("consume", "c");
  const socket = await relay.socket("/health");
  const health = await socket.json();
  assertEquals([health.status, health.active_channels], ["healthy", 1]);
  assert(!Number.isNaN(Date.parse(health.timestamp)));
  assertEquals(await socket.code(), 1000);
  const { status, body } = await relay.api("GET", "/health", undefined, { auth: null });
  assertEquals([status, body.status, body.active_channels], [200, "healthy", 1]);
});

onBothTransports("v1 - a relay without a secret swallows the auth message", async (relay) => {
  const consumer = await relay.socket("/consume/c");
  const producer = await relay.v1("produce", "c", "whatever");
  producer.send("1");
  producer.send({ type: "auth", secret: "this one is a message" });
  assertEquals(await consumer.next(), "1");
  assertEquals((await consumer.json()).type, "auth");
  const plain = await relay.socket("/produce/d");
  plain.send("first");
  const other = await relay.socket("/consume/d");
  assertEquals(await other.next(), "first");
}, { insecure: true });

onBothTransports("v1 - a token stands in the secret's place", async (relay) => {
  await relay.channel("c");
  const produce = await relay.token("c", "produce");
  const consume = await relay.token("c", "consume");
  const producer = await relay.v1("produce", "c", produce);
  const consumer = await relay.v1("consume", "c", consume);
  producer.send("1");
  assertEquals(await consumer.next(), "1");
  // wrong role, other channel, expired, and one that may not make a channel
  assertEquals(await (await relay.v1("produce", "c", consume)).code(), 4003);
  assertEquals(await (await relay.v1("produce", "d", produce)).code(), 4003);
  const expired = await mintToken(relay.secret, {
    channel: "c",
    roles: ["consume"],
    expiresIn: -10,
  });
  assertEquals(await (await relay.v1("consume", "c", expired)).code(), 4003);
  const elsewhere = await relay.token("nowhere", "consume");
  assertEquals(await (await relay.v1("consume", "nowhere", elsewhere)).code(), 4000);
});

onBothTransports("v1 - a relay that closes says 1012", async (relay) => {
  const producer = await relay.v1("produce", "c");
  const consumer = await relay.v1("consume", "c");
  producer.send("1");
  assertEquals(await consumer.next(), "1");
  await relay.relay.close();
  assertEquals(await producer.code(), 1012);
  assertEquals(await consumer.code(), 1012);
});
