/** How streams end between the Python package and ours. @module */
import { assertEquals, assertRejects } from "@std/assert";
import { ControlClient, RelayConsumer, RelayProducer } from "../../client/mod.ts";
import { serveRelay } from "../../server/mod.ts";
import { StreamError } from "../../stream/mod.ts";
import { until } from "../tools/until.ts";
import { needs } from "./needs.ts";
import { pythonConsume, pythonCrypto, pythonProduce, v1Key } from "./python_peer.ts";

const { ignore } = needs("python");

/** Registers a test with a relay and a channel, in plaintext and with a key. */
function endTest(
  name: string,
  body: (at: { url: string; channel: string; secret: string; key?: string }) => Promise<void>,
): void {
  for (const keyed of [false, true]) {
    Deno.test({
      name: `python ends - ${name}, ${keyed ? "encrypted" : "in plaintext"}`,
      ignore,
      async fn() {
        const secret = crypto.randomUUID();
        await using relay = await serveRelay({ port: 0, secret, producerGrace: 0 });
        const { url } = relay;
        const key = keyed ? (await pythonCrypto({ do: "key" })).result : undefined;
        const { id: channel } = await new ControlClient({ url, token: secret }).createChannel();
        await body({ url, channel, secret, key });
      },
    });
  }
}

for (const [way, expected] of [["error", "no GPU"], ["crash", "ValueError: no GPU"]]) {
  endTest(`its ${way} reaches our consumer after the text`, async ({ secret, ...at }) => {
    const stream = new RelayConsumer({ ...at, ...v1Key(at.key), token: secret }).stream();
    const seen: string[] = [];
    const reading = stream.onChunk((event) => {
      if (event.type === "token") seen.push(event.content);
    });
    const failed = assertRejects(() => reading, StreamError, expected);
    await pythonProduce({ ...at, secret, way, tokens: ["a", "b"], message: "no GPU" });
    assertEquals((await failed).message, expected);
    assertEquals(seen, ["a", "b"]);
  });
}

endTest("its error raises RuntimeError in its consumer", async (at) => {
  await pythonProduce({ ...at, way: "error", tokens: ["a"], message: "no GPU" });
  assertEquals(await pythonConsume(at), { tokens: ["a"], error: "Producer error: no GPU" });
});

for (const protocol of ["v1", "v2"] as const) {
  endTest(`our failure in ${protocol} raises RuntimeError in its consumer`, async (at) => {
    const producer = new RelayProducer({ ...at, ...v1Key(at.key), token: at.secret, protocol });
    await producer.token("a");
    await producer.fail({ code: "oom", message: "Out of memory" });
    await producer.close();
    assertEquals(await pythonConsume(at), {
      tokens: ["a"],
      error: "Producer error: Out of memory",
    });
  });
}

for (const when of ["while it reads", "before it came"]) {
  endTest(`an end that a supervisor sets ${when} is seen by its consumer`, async (at) => {
    const control = new ControlClient({ url: at.url, token: at.secret });
    const producer = new RelayProducer({ ...at, ...v1Key(at.key), token: at.secret });
    await producer.token("a");
    const end = { kind: "error", code: "walltime", message: "Out of time" } as const;
    // breaks off once the token is in the log
    for await (
      const _ of new RelayConsumer({ ...at, ...v1Key(at.key), token: at.secret }).stream()
    ) {
      break;
    }
    let reading: ReturnType<typeof pythonConsume> | undefined;
    if (when === "while it reads") {
      reading = pythonConsume(at);
      await until(
        "Python's consumer is there",
        async () => (await control.info(at.channel)).consumers === 1,
      );
    }
    await control.end(at.channel, end);
    const { error, tokens } = await (reading ?? pythonConsume(at));
    assertEquals(error, "Producer error: Out of time");
    assertEquals(tokens, ["a"]);
    await producer.close().catch(() => {});
  });
}

Deno.test({
  name: "python ends - its producer without an end is lost, and both consumers are told",
  ignore,
  async fn() {
    const secret = crypto.randomUUID();
    await using relay = await serveRelay({ port: 0, secret, producerGrace: 0 });
    const at = { url: relay.url, channel: crypto.randomUUID(), secret };
    await pythonProduce({ ...at, way: "vanish", tokens: ["a"] });
    const stream = new RelayConsumer({ ...at, token: secret }).stream();
    assertEquals((await stream.drain()).reason, "producer_lost");
    const { tokens, error } = await pythonConsume(at);
    assertEquals(tokens, ["a"]);
    assertEquals(error?.startsWith("Producer error: "), true);
  },
});

Deno.test({
  name: "python ends - after an encrypted stream without an end the key tells producer_lost",
  ignore,
  async fn() {
    const secret = crypto.randomUUID();
    await using relay = await serveRelay({ port: 0, secret });
    const key = (await pythonCrypto({ do: "key" })).result;
    const at = { url: relay.url, channel: crypto.randomUUID(), secret, key };
    await pythonProduce({ ...at, way: "vanish", tokens: ["a"] });
    const stream = new RelayConsumer({ ...at, ...v1Key(at.key), token: secret }).stream();
    assertEquals((await stream.drain()).reason, "producer_lost");
    // its consumer is let go as its own relay does it: closed with 1000
    assertEquals(await pythonConsume(at), { tokens: ["a"] });
  },
});

Deno.test({
  name: "python ends - our consumer without the key, and with another one, is told so",
  ignore,
  async fn() {
    const secret = crypto.randomUUID();
    await using relay = await serveRelay({ port: 0, secret });
    const at = { url: relay.url, channel: crypto.randomUUID() };
    const key = (await pythonCrypto({ do: "key" })).result;
    await pythonProduce({ ...at, secret, key, tokens: ["a"] });
    for (const other of [undefined, (await pythonCrypto({ do: "key" })).result]) {
      const stream = new RelayConsumer({ ...at, token: secret, ...v1Key(other) }).stream();
      assertEquals((await stream.drain()).reason, "decrypt_failed");
    }
  },
});

Deno.test({
  name: "python ends - with a key set, its plaintext is refused",
  ignore,
  async fn() {
    const secret = crypto.randomUUID();
    await using relay = await serveRelay({ port: 0, secret });
    const at = { url: relay.url, channel: crypto.randomUUID() };
    const key = (await pythonCrypto({ do: "key" })).result;
    await pythonProduce({ ...at, secret, tokens: ["forged"] });
    const stream = new RelayConsumer({ ...at, token: secret, ...v1Key(key) }).stream();
    assertEquals((await stream.drain()).reason, "tampered");
  },
});
