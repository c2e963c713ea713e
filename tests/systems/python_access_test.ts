/** Who is let in: the Python package's clients at our relay, ours at its. @module */
import { assertEquals, assertRejects } from "@std/assert";
import { ControlClient, RelayConsumer, RelayProducer } from "../../client/mod.ts";
import { mintToken, serveRelay } from "../../server/mod.ts";
import { StreamError } from "../../stream/mod.ts";
import { needs } from "./needs.ts";
import { pythonConsume, pythonProduce, pythonRelay } from "./python_peer.ts";

const { ignore } = needs("python");

/** Registers a test at each of our transports. */
function accessTest(
  name: string,
  body: (at: { url: string; channel: string }, secret: string) => Promise<void>,
): void {
  for (const transport of ["deno", "ws"] as const) {
    Deno.test({
      name: `python access - ${name} [${transport}]`,
      ignore,
      async fn() {
        const secret = crypto.randomUUID();
        await using relay = await serveRelay({ port: 0, secret, transport });
        await body({ url: relay.url, channel: crypto.randomUUID() }, secret);
      },
    });
  }
}

accessTest("a wrong secret closes both of its clients with 4003", async (at) => {
  const [produced, consumed] = await Promise.all([
    pythonProduce({ ...at, secret: "wrong", way: "refused" }),
    pythonConsume({ ...at, secret: "wrong" }),
  ]);
  assertEquals([produced.code, consumed.code], [4003, 4003]);
});

accessTest("a second producer is closed with 4001", async (at, secret) => {
  const first = new RelayProducer({ ...at, token: secret, protocol: "v1" });
  await first.token("a");
  const reader = new RelayConsumer({ ...at, token: secret });
  const reading = reader.stream().text();
  await reader.opened;
  const { code } = await pythonProduce({ ...at, secret, way: "refused" });
  assertEquals(code, 4001);
  // and the first is none the worse for it
  await first.token("b");
  await first.done();
  assertEquals(await reading, "ab");
});

accessTest("a capability token stands in for the secret", async (at, secret) => {
  const control = new ControlClient({ url: at.url, token: secret });
  const { tokens } = await control.createChannel({ id: at.channel });
  await pythonProduce({ ...at, secret: tokens.produce, tokens: ["a", "b"] });
  assertEquals(await pythonConsume({ ...at, secret: tokens.consume }), { tokens: ["a", "b"] });
});

accessTest("a token of another role or channel closes with 4003", async (at, secret) => {
  const control = new ControlClient({ url: at.url, token: secret });
  const { tokens } = await control.createChannel({ id: at.channel });
  const other = await mintToken(secret, { channel: "other", roles: ["produce", "consume"] });
  for (const wrong of [tokens.consume, other]) {
    const { code } = await pythonProduce({ ...at, secret: wrong, way: "refused" });
    assertEquals(code, 4003);
  }
  for (const wrong of [tokens.produce, other]) {
    assertEquals(await pythonConsume({ ...at, secret: wrong }), { tokens: [], code: 4003 });
  }
});

accessTest("a token makes no channel", async (at, secret) => {
  const token = await mintToken(secret, { channel: at.channel, roles: ["produce"] });
  assertEquals((await pythonProduce({ ...at, secret: token, way: "refused" })).code, 4000);
});

Deno.test({
  name: "python access - its clients say their secret to a relay of ours that asks for none",
  ignore,
  async fn() {
    await using relay = await serveRelay({ port: 0, insecure: true });
    const at = { url: relay.url, channel: crypto.randomUUID(), secret: "needless" };
    await pythonProduce({ ...at, tokens: ["a"] });
    assertEquals(await pythonConsume(at), { tokens: ["a"] });
  },
});

Deno.test({
  name: "python access - our clients understand its relay's 4003 and 4001",
  ignore,
  async fn() {
    await using relay = await pythonRelay();
    const { url, secret: token } = relay;
    const channel = crypto.randomUUID();
    const stranger = new RelayConsumer({ url, channel, token: "wrong" }).stream();
    assertEquals((await stranger.drain()).reason, "unauthorized");
    const refused = new RelayProducer({ url, channel, token: "wrong" });
    assertEquals(await failure(refused), "unauthorized");
    const first = new RelayProducer({ url, channel, token });
    const reader = new RelayConsumer({ url, channel, token });
    const reading = reader.stream().text();
    await reader.opened;
    await first.token("a");
    const second = new RelayProducer({ url, channel, token });
    assertEquals(await failure(second), "conflict");
    await first.done();
    assertEquals(await reading, "a");
  },
});

/** The code that a producer ends with. */
async function failure(producer: RelayProducer): Promise<string> {
  await producer.token("x").catch(() => {});
  const error = await assertRejects(() => producer.done(), StreamError);
  return error.code;
}
