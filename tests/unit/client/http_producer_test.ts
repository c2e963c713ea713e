/** A producer whose records go by POST, with a real relay. @module */
import { assert, assertEquals } from "@std/assert";
import { RelayConsumer, RelayProducer } from "../../../client/mod.ts";
import { generateKey, StreamError } from "../../../stream/mod.ts";
import { test } from "../../tools/test.ts";
import { relayTest } from "./real_relay.ts";
import { send, words } from "./send_words.ts";

const RETRY = { base: 5, cap: 50 };

/** A network that lets no WebSocket through. */
class BlockedWebSocket {
  static count = 0;
  readyState = 0;
  bufferedAmount = 0;
  onerror?: (event: { message: string }) => void;
  onclose?: (event: { code: number; reason: string }) => void;

  constructor() {
    BlockedWebSocket.count++;
    queueMicrotask(() => {
      this.onerror?.({ message: "403 Forbidden" });
      this.onclose?.({ code: 1006, reason: "" });
    });
  }

  send(): void {}
  close(): void {}
}

const blocked = BlockedWebSocket as unknown as typeof WebSocket;

async function failure(promise: Promise<unknown>): Promise<StreamError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof StreamError) return error;
    throw error;
  }
  throw new Error("It did not fail");
}

for (const key of ["", generateKey()]) {
  const what = key ? "sealed" : "plain";
  relayTest(`http producer - ${what} text, its end and its data`, async (relay) => {
    const { url, control } = relay;
    const { id, tokens } = await control.createChannel({ keyed: key !== "" });
    const stream = new RelayConsumer({ url, channel: id, token: tokens.consume, key }).stream();
    const producer = new RelayProducer({
      url,
      channel: id,
      token: tokens.produce,
      key,
      protocol: "http",
    });
    await producer.connect();
    await producer.token("Grüße ");
    await producer.data({ a: 1 });
    await producer.token("\u2028end\n");
    await producer.done({ usage: { total_tokens: 2 } });
    assertEquals(await stream.text(), "Grüße \u2028end\n");
    assertEquals((await stream.result).usage, { total_tokens: 2 });
    assertEquals(producer.bytesPending, 0);
  });

  relayTest(`http producer - ${what}: exactly once, in order, whatever is cut`, async (relay) => {
    const { proxy, proxyUrl, url, secret, control } = relay;
    const { id } = await control.createChannel({ keyed: key !== "" });
    const at = { channel: id, token: secret, retry: RETRY, key };
    const texts = words(20_000);
    const stream = new RelayConsumer({ ...at, url }).stream();
    proxy.cutAfter(1_000);
    const sent = send(new RelayProducer({ ...at, url: proxyUrl, protocol: "http" }), texts);
    let got = "";
    let cuts = 0;
    for await (const text of stream) {
      got += text;
      if (got.length > cuts * 20_000) proxy.cutAfter(2_000 + 500 * cuts++);
    }
    await sent;
    assertEquals(got, texts.join(""));
    assert(cuts > 3);
  });
}

relayTest(
  "http producer - where WebSockets are blocked and the relay answers, it posts",
  async ({ url, control }) => {
    const { id, tokens } = await control.createChannel();
    const stream = new RelayConsumer({ url, channel: id, token: tokens.consume }).stream();
    const producer = new RelayProducer({
      url,
      channel: id,
      token: tokens.produce,
      webSocket: blocked,
      retry: RETRY,
    });
    BlockedWebSocket.count = 0;
    await send(producer, words(100));
    assertEquals(await stream.text(), words(100).join(""));
    // the first failure may be the relay's own; the one after it has answered is not
    assert(BlockedWebSocket.count >= 2);
  },
);

relayTest("http producer - asked for v2, it does not post", async ({ url, control }) => {
  const { id, tokens } = await control.createChannel();
  const producer = new RelayProducer({
    url,
    channel: id,
    token: tokens.produce,
    webSocket: blocked,
    protocol: "v2",
    retry: { ...RETRY, giveUpAfter: 100 },
  });
  const error = await failure(producer.connect());
  assertEquals(error.code, "unreachable");
  assert(error.message.includes("403 Forbidden"));
});

relayTest(
  "http producer - a cancel comes at once, long before a sign of life is due",
  async (relay) => {
    const { url, control } = relay;
    const { id, tokens } = await control.createChannel();
    const stream = new RelayConsumer({ url, channel: id, token: tokens.consume }).stream();
    const producer = new RelayProducer({
      url,
      channel: id,
      token: tokens.produce,
      protocol: "http",
      heartbeat: 600_000,
      ackTimeout: 600_000,
    });
    await producer.connect();
    await control.cancel(id, "enough");
    await new Promise((resolve) => producer.signal.addEventListener("abort", resolve));
    assertEquals(producer.signal.reason.code, "cancelled");
    await producer.fail(producer.signal.reason);
    const { error } = await stream.drain().then(() => stream.result);
    assertEquals(error?.code, "cancelled");
  },
);

relayTest("http producer - an end by others and a newer producer stop it", async (relay) => {
  const { url, control } = relay;
  for (const [stop, code] of [["end", "ended"], ["claim", "fenced"]]) {
    const { id, tokens } = await control.createChannel();
    const at = { url, channel: id, token: tokens.produce, protocol: "http" as const };
    const producer = new RelayProducer({ ...at, heartbeat: 20 });
    await producer.connect();
    const newer = new RelayProducer(at);
    if (stop === "end") await control.end(id, { kind: "error", code: "oom", message: "No room" });
    else await newer.connect();
    await new Promise((resolve) => producer.signal.addEventListener("abort", resolve));
    assertEquals(producer.signal.reason.code, code);
    assertEquals((await failure(producer.token("late"))).code, code);
    // one that lives gives signs of life, and on Node a process with a timer does not end
    await newer.close();
  }
});

relayTest("http producer - a wrong token is told at once", async ({ url, control }) => {
  const { id } = await control.createChannel();
  const producer = new RelayProducer({ url, channel: id, token: "wrong", protocol: "http" });
  assertEquals((await failure(producer.connect())).code, "unauthorized");
});

relayTest("http producer - its signal ends it", async ({ url, secret, control }) => {
  const { id } = await control.createChannel();
  const stop = new AbortController();
  const producer = new RelayProducer({
    url,
    channel: id,
    token: secret,
    protocol: "http",
    signal: stop.signal,
  });
  await producer.connect();
  stop.abort();
  assertEquals((await failure(producer.done())).code, "cancelled");
});

test("http producer - a relay that is not there is given up after the patience", async () => {
  const at = { url: "ws://127.0.0.1:9", channel: "c", token: "t" };
  for (const protocol of ["http", "auto"] as const) {
    const producer = new RelayProducer({ ...at, protocol, retry: { ...RETRY, giveUpAfter: 50 } });
    assertEquals((await failure(producer.connect())).code, "unreachable");
  }
});
