/** The clients with a real relay, over connections that are cut, stall and slice. @module */
import { assert, assertEquals } from "@std/assert";
import { RelayConsumer, RelayProducer } from "../../../client/mod.ts";
import { generateKey } from "../../../stream/mod.ts";
import { relayTest } from "./real_relay.ts";
import { send, words } from "./send_words.ts";

const RETRY = { base: 5, cap: 50 };

relayTest(
  "relay - exactly once, in order, whatever is cut",
  async ({ proxy, proxyUrl, secret, control }) => {
    const { id } = await control.createChannel();
    const at = { url: proxyUrl, channel: id, token: secret, retry: RETRY };
    const texts = words(20_000);
    const stream = new RelayConsumer({ ...at, window: 20_000 }).stream();
    const sent = send(new RelayProducer(at), texts);
    proxy.cutAfter(1_000);
    const got: string[] = [];
    for await (const text of stream) {
      // the next cut comes in the middle of whatever is under way then
      if (got.push(text) % 1500 === 0) proxy.cutAfter(3_000 + got.length);
    }
    await sent;
    assertEquals(got.length, texts.length);
    assertEquals(got.join(""), texts.join(""));
    assert(proxy.connections > 10);
  },
);

relayTest(
  "relay - text that is sent while the relay is away arrives later",
  async ({ proxy, proxyUrl, secret, control }) => {
    const { id } = await control.createChannel();
    const at = { url: proxyUrl, channel: id, token: secret, retry: RETRY };
    const consumer = new RelayConsumer(at);
    const tokens = consumer.stream()[Symbol.asyncIterator]();
    const producer = new RelayProducer(at);
    await producer.token("a");
    assertEquals((await tokens.next()).value, "a");
    proxy.refuse();
    proxy.cut();
    await producer.token("b");
    const done = producer.done();
    assert(producer.bytesPending > 0);
    proxy.accept();
    await done;
    assertEquals((await tokens.next()).value, "b");
    assertEquals((await tokens.next()).done, true);
  },
);

relayTest(
  "relay - text arrives in order through a path that stalls and slices",
  async ({ proxy, proxyUrl, secret, control }) => {
    const { id } = await control.createChannel();
    const at = { url: proxyUrl, channel: id, token: secret, retry: RETRY };
    const stream = new RelayConsumer({ ...at, window: 500 }).stream();
    const sent = send(new RelayProducer(at), words(200));
    let got = "";
    for await (const text of stream) {
      got += text;
      if (got.length < 100) {
        proxy.pause();
        queueMicrotask(() => proxy.resume());
      }
    }
    await sent;
    assertEquals(got, words(200).join(""));
  },
  { slice: 7 },
);

relayTest(
  "relay - exactly once with a key, whatever is cut",
  async ({ proxy, proxyUrl, secret, control }) => {
    const { id } = await control.createChannel({ keyed: true });
    const at = {
      url: proxyUrl,
      channel: id,
      token: secret,
      key: generateKey(),
      retry: RETRY,
    };
    const texts = words(1_000);
    const stream = new RelayConsumer(at).stream();
    const sent = send(new RelayProducer(at), texts);
    proxy.cutAfter(5_000);
    let got = "";
    for await (const text of stream) {
      if ((got += text).length % 500 === 0) proxy.cutAfter(10_000);
    }
    await sent;
    assertEquals(got, texts.join(""));
  },
);
