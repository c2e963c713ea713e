/** Whole streams between our clients, the Python package's clients, and either relay. @module */
import { assertEquals } from "@std/assert";
import { ControlClient, RelayConsumer, RelayProducer } from "../../client/mod.ts";
import { serveRelay } from "../../server/mod.ts";
import { needs } from "./needs.ts";
import { pythonConsume, pythonCrypto, pythonProduce, pythonRelay, v1Key } from "./python_peer.ts";

const { ignore } = needs("python");
const TOKENS = ["Grüße", " ", "日本語 🚀", "\n", '"\\', "", "\u2028", "end"];
const TEXT = TOKENS.join("");
const USAGE = { prompt_tokens: 10, completion_tokens: 50 };

/** Registers a test in plaintext and with a key of Python's making, by each transport of our relay. */
function throughOurs(
  name: string,
  body: (key: string | undefined, transport: "deno" | "ws") => Promise<void>,
): void {
  for (const transport of ["deno", "ws"] as const) {
    bothWays(`${name} [${transport}]`, (key) => body(key, transport));
  }
}

/** Registers a test in plaintext and with a key of Python's making. */
function bothWays(name: string, body: (key: string | undefined) => Promise<void>): void {
  Deno.test({ name: `${name}, in plaintext`, ignore, fn: () => body(undefined) });
  Deno.test({
    name: `${name}, encrypted`,
    ignore,
    fn: async () => await body((await pythonCrypto({ do: "key" })).result),
  });
}

function address() {
  return { channel: crypto.randomUUID(), secret: crypto.randomUUID() };
}

for (const way of ["done", "block", "async"]) {
  throughOurs(`python - its producer (${way}), our relay, our consumer`, async (key, transport) => {
    const { channel, secret } = address();
    await using relay = await serveRelay({ port: 0, secret, transport });
    const { url } = relay;
    const consumer = new RelayConsumer({ url, channel, token: secret, ...v1Key(key) });
    const stream = consumer.stream();
    await consumer.opened;
    const said = await pythonProduce({
      url,
      channel,
      secret,
      key,
      way,
      tokens: TOKENS,
      usage: USAGE,
    });
    assertEquals(said, {} as typeof said);
    assertEquals(await stream.text(), TEXT);
    const { reason, usage } = await stream.result;
    assertEquals(reason, "completed");
    if (way === "done") assertEquals(usage, USAGE);
  });
}

for (const protocol of ["v1", "v2"] as const) {
  for (const way of ["sync", "async"]) {
    throughOurs(
      `python - our producer (${protocol}), our relay, its consumer (${way})`,
      async (key, transport) => {
        const { channel, secret } = address();
        await using relay = await serveRelay({ port: 0, secret, transport });
        const { url } = relay;
        await new ControlClient({ url, token: secret }).createChannel({ id: channel });
        const reading = pythonConsume({ url, channel, secret, key, way });
        const producer = new RelayProducer({
          url,
          channel,
          token: secret,
          ...v1Key(key),
          protocol,
        });
        for (const token of TOKENS) await producer.token(token);
        await producer.done({ usage: USAGE });
        await producer.close();
        const { tokens, ...rest } = await reading;
        assertEquals(tokens.join(""), TEXT);
        assertEquals(rest, {});
      },
    );
  }
}

bothWays(
  "python - our consumer gets what its producer sent before, from the start",
  async (key) => {
    const { channel, secret } = address();
    await using relay = await serveRelay({ port: 0, secret });
    const { url } = relay;
    const tokens = Array.from({ length: 3000 }, (_, at) => `${at} `);
    await pythonProduce({ url, channel, secret, key, tokens });
    const consumer = new RelayConsumer({ url, channel, token: secret, ...v1Key(key) });
    assertEquals(await consumer.stream().text(), tokens.join(""));
    // its own relay would have kept 1000, and would have been read once
    const { tokens: again } = await pythonConsume({ url, channel, secret, key });
    assertEquals(again.join(""), tokens.join(""));
  },
);

bothWays("python - our producer, its relay, our consumer", async (key) => {
  await using relay = await pythonRelay();
  const { url, secret: token } = relay;
  const channel = crypto.randomUUID();
  const consumer = new RelayConsumer({ url, channel, token, ...v1Key(key) });
  const stream = consumer.stream();
  await consumer.opened;
  const producer = new RelayProducer({ url, channel, token, ...v1Key(key) });
  for (const text of TOKENS) await producer.token(text);
  await producer.done({ usage: USAGE });
  assertEquals(await stream.text(), TEXT);
  assertEquals((await stream.result).usage, USAGE);
});

bothWays("python - our producer, its relay, its consumer", async (key) => {
  await using relay = await pythonRelay();
  const { url, secret } = relay;
  const channel = crypto.randomUUID();
  const producer = new RelayProducer({ url, channel, token: secret, ...v1Key(key) });
  for (const token of TOKENS) await producer.token(token);
  // its relay forgets what nobody reads once the producer is gone, so the reader comes first
  const reading = pythonConsume({ url, channel, secret, key });
  await producer.done();
  const { tokens, ...rest } = await reading;
  assertEquals(tokens.join(""), TEXT);
  assertEquals(rest, {});
});

bothWays("python - its producer, its relay, our consumer", async (key) => {
  await using relay = await pythonRelay();
  const { url, secret } = relay;
  const channel = crypto.randomUUID();
  const stream = new RelayConsumer({ url, channel, token: secret, ...v1Key(key) }).stream();
  const reading = stream.text();
  await pythonProduce({ url, channel, secret, key, tokens: TOKENS, usage: USAGE });
  assertEquals(await reading, TEXT);
  assertEquals((await stream.result).usage, USAGE);
});

Deno.test({
  name: "python - our pipe goes through its relay, and fails through it",
  ignore,
  async fn() {
    await using relay = await pythonRelay();
    const { url, secret: token } = relay;
    const channel = crypto.randomUUID();
    const consumer = new RelayConsumer({ url, channel, token });
    const stream = consumer.stream();
    await consumer.opened;
    const producer = new RelayProducer({ url, channel, token });
    await producer.pipe((async function* () {
      yield "half ";
      throw new Error("the model fell over");
    })());
    let text = "";
    const failed = await (async () => {
      for await (const token of stream) text += token;
    })().catch((error) => error);
    assertEquals([text, failed.code, failed.message], [
      "half ",
      "job_failed",
      "the model fell over",
    ]);
  },
});
