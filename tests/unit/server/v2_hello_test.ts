/** Who is let in on v2, and what the others are told. @module */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { mintToken } from "../../../server/mod.ts";
import { onBothTransports } from "./on_both_transports.ts";
import { type TestRelay, token } from "./test_relay.ts";

type Face = "produce" | "consume" | "supervise";

/** Says something first and gives back code and close code of the refusal. */
async function refusal(
  relay: TestRelay,
  face: Face,
  id: string,
  first: string | object | Uint8Array<ArrayBuffer>,
): Promise<[string, number, string]> {
  const socket = await relay.socket(`/v2/${face}/${id}`);
  socket.send(first);
  const { error } = await socket.json();
  return [error.code, await socket.code(), error.message];
}

/** The same for a hello with the given members. */
async function helloRefusal(
  relay: TestRelay,
  face: Face,
  id: string,
  hello: Record<string, unknown>,
): Promise<[string, number]> {
  const [code, close] = await refusal(relay, face, id, {
    hello: { v: 2, auth: relay.secret, instance: "i", ...hello },
  });
  return [code, close];
}

onBothTransports("v2 hello - what is no hello is bad_request", async (relay) => {
  const firsts = ["not JSON", "[]", "7", "{}", '{"hello":7}', { hello: { v: 1 } }, { ack: {} }];
  for (const first of firsts) {
    const [code, close] = await refusal(relay, "produce", "c", first);
    assertEquals([code, close], ["bad_request", 4500], JSON.stringify(first));
  }
  const [, , message] = await refusal(relay, "consume", "c", "not JSON");
  assertStringIncludes(message, "expected");
  const [code] = await refusal(relay, "consume", "bad%20id", { hello: { v: 2 } });
  assertEquals(code, "bad_request");
});

onBothTransports("v2 hello - members of the wrong kind are bad_request", async (relay) => {
  const bad: [Face, Record<string, unknown>][] = [
    ["produce", { instance: undefined }],
    ["produce", { instance: "" }],
    ["produce", { instance: "x".repeat(129) }],
    ["consume", { from: -1 }],
    ["consume", { from: 1.5 }],
    ["consume", { from: "0" }],
    ["consume", { credit: "much" }],
    ["supervise", { lease: -1 }],
    ["supervise", { lease: "long" }],
    ["supervise", { onDisconnect: { running: "soon" } }],
    ["supervise", { onDisconnect: 7 }],
  ];
  for (const [face, hello] of bad) {
    assertEquals(
      await helloRefusal(relay, face, "c", hello),
      ["bad_request", 4500],
      JSON.stringify(hello),
    );
  }
  assertEquals(relay.relay.activeChannels, 0);
});

onBothTransports("v2 hello - no or a wrong credential is unauthorized", async (relay) => {
  for (const face of ["produce", "consume", "supervise"] as const) {
    for (const auth of [undefined, "", "wrong", "eyJhbGciOiJub25lIn0.e30.", 7]) {
      assertEquals(
        await helloRefusal(relay, face, "c", { auth }),
        ["unauthorized", 4503],
        `${face} ${auth}`,
      );
    }
  }
});

onBothTransports("v2 hello - none in time is a timeout", async (relay) => {
  const socket = await relay.socket("/v2/produce/c");
  assertEquals((await socket.json()).error.code, "timeout");
  assertEquals(await socket.code(), 4102);
}, { authTimeout: 0.02 });

onBothTransports("v2 hello - binary is closed with 1003", async (relay) => {
  const socket = await relay.socket("/v2/consume/c");
  socket.send(new Uint8Array([1]));
  assertEquals(await socket.code(), 1003);
});

onBothTransports("v2 hello - expired and forged tokens are unauthorized", async (relay) => {
  await relay.channel("c");
  const expired = await mintToken(relay.secret, {
    channel: "c",
    roles: ["consume"],
    expiresIn: -10,
  });
  assertEquals(await helloRefusal(relay, "consume", "c", { auth: expired }), [
    "unauthorized",
    4503,
  ]);
  const forged = await mintToken("another secret", { channel: "c", roles: ["admin"] });
  assertEquals(await helloRefusal(relay, "consume", "c", { auth: forged }), ["unauthorized", 4503]);
});

onBothTransports("v2 hello - another role or channel is forbidden", async (relay) => {
  const { tokens } = await relay.channel("c");
  await relay.channel("d");
  const wrong: [Face, string, string][] = [
    ["produce", "c", tokens.consume],
    ["produce", "c", tokens.supervise],
    ["consume", "c", tokens.produce],
    ["consume", "c", tokens.cancel],
    ["supervise", "c", tokens.produce],
    ["supervise", "c", tokens.consume],
    ["produce", "d", tokens.produce],
    ["consume", "d", tokens.consume],
    ["consume", "not-there", tokens.consume],
  ];
  for (const [face, id, auth] of wrong) {
    assertEquals(await helloRefusal(relay, face, id, { auth }), ["forbidden", 4504], face + id);
  }
  // whoever supervises may read
  await relay.join("consume", "c", { auth: tokens.supervise });
});

onBothTransports("v2 hello - a prefix token opens its channels and makes none", async (relay) => {
  const auth = await mintToken(relay.secret, { prefix: "job-", roles: ["produce", "consume"] });
  await relay.channel("job-1");
  await relay.join("consume", "job-1", { auth });
  assertEquals(await helloRefusal(relay, "consume", "other", { auth }), ["forbidden", 4504]);
  assertEquals(await helloRefusal(relay, "produce", "job-2", { auth }), ["not_found", 4501]);
  const maker = await mintToken(relay.secret, { prefix: "job-", roles: ["create", "produce"] });
  await relay.producer("job-2", "i", { auth: maker });
});

onBothTransports("v2 hello - a token of an earlier incarnation is expired", async (relay) => {
  const { tokens, incarnation } = await relay.channel("c");
  await relay.api("DELETE", "/v1/channels/c");
  const gone = ["expired", 4502];
  assertEquals(await helloRefusal(relay, "consume", "c", { auth: tokens.consume }), gone);
  const again = await relay.channel("c");
  assert(again.incarnation !== incarnation);
  assertEquals(await helloRefusal(relay, "consume", "c", { auth: tokens.consume }), gone);
  assertEquals(await helloRefusal(relay, "produce", "c", { auth: tokens.produce }), gone);
  await relay.join("consume", "c", { auth: again.tokens.consume });
});

onBothTransports("v2 hello - a channel made anew is told by its incarnation", async (relay) => {
  const { hello } = await relay.join("consume", "c");
  await relay.api("DELETE", "/v1/channels/c");
  // it is gone, and the relay remembers that it went
  const { incarnation } = hello;
  assertEquals(await helloRefusal(relay, "consume", "c", { incarnation }), ["expired", 4502]);
  // one the relay never heard of: it must have been started anew
  const other = { incarnation: "of-another-relay" };
  assertEquals(await helloRefusal(relay, "consume", "c", other), ["relay_restarted", 4505]);
  await relay.channel("c");
  assertEquals(await helloRefusal(relay, "consume", "c", { incarnation }), [
    "relay_restarted",
    4505,
  ]);
  assertEquals(await helloRefusal(relay, "produce", "c", other), ["relay_restarted", 4505]);
  assertEquals(await helloRefusal(relay, "supervise", "c", other), ["relay_restarted", 4505]);
  assertEquals(relay.relay.activeChannels, 0);
});

onBothTransports("v2 hello - what is sent before the answer is taken", async (relay) => {
  const { socket: consumer } = await relay.join("consume", "c");
  const producer = await relay.socket("/v2/produce/c");
  producer.send({ hello: { v: 2, auth: relay.secret, instance: "hasty" } });
  producer.send(`{"n":1,"e":1,"s":0}\n${JSON.stringify(token("early"))}`);
  producer.send(`{"n":1,"e":1,"s":1}\n${JSON.stringify(token("bird"))}`);
  assertStringIncludes(await consumer.next(), "early");
  assertStringIncludes(await consumer.next(), "bird");
});

onBothTransports("v2 hello - an endless run before the answer is refused", async (relay) => {
  const producer = await relay.socket("/v2/produce/c");
  producer.send("{}");
  for (let index = 0; index < 1000; index++) producer.send("{}");
  assertEquals(await producer.code(), 4500);
});

onBothTransports("v2 hello - who asks whether the relay is there is answered", async (relay) => {
  for (const face of ["produce", "consume", "supervise"] as const) {
    await relay.channel(face);
    const socket = await relay.v2(face, face, { instance: "i" });
    assertEquals((await socket.json()).hello.ping, true, face);
    socket.send({ ping: {} });
    assertEquals(await socket.json(), { pong: {} }, face);
    await socket.close();
  }
});
