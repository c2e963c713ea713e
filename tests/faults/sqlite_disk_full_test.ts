/** A sqlite store on a disk that fills up, and the producers of its relay. @module */
import { assert, assertEquals, assertGreater, assertRejects } from "@std/assert";
import { ControlClient, RelayConsumer, RelayProducer } from "../../client/mod.ts";
import { openSqliteStore, serveRelay, type Store } from "../../server/mod.ts";
import { StreamError } from "../../stream/mod.ts";
import { cannotMount, disk } from "../tools/small_disk.ts";
import { until } from "../tools/until.ts";

const MIB = 1024 * 1024;
const SHAPE = { ttl: 3_600_000, retention: 3_600_000, maxBytes: 100 * MIB };
const RELAY = { origin: "relay" } as const;

const ignore = await cannotMount();

async function texts(store: Store, id: string): Promise<string[]> {
  const found: string[] = [];
  for (let next = 0;;) {
    const frames = await store.read(id, next, MIB);
    if (frames.length === 0) return found;
    for (const { first, n, text } of frames) {
      assertEquals(first, next);
      found.push(text);
      next = first + n;
    }
  }
}

Deno.test({
  name: "sqlite disk full - appends are refused, what was acknowledged is kept, and room helps",
  ignore,
  async fn() {
    await using full = await disk(4);
    const path = `${full.path}/store`;
    const store = await openSqliteStore({ path });
    await store.create({ id: "c", ...SHAPE });
    await store.create({ id: "other", ...SHAPE });
    const text = (i: number) => `${i} `.padEnd(1000, "x");
    const acknowledged: string[] = [];
    const seen: string[] = [];
    store.watch("c", {
      records: (_, frame) => seen.push(frame!.text),
      ended() {},
      cancelled() {},
      gone() {},
    });
    await full.fill();
    const append = async (i: number) => {
      await store.append("c", RELAY, { n: 1, text: text(i) });
      acknowledged.push(text(i));
    };
    // many at once, so that a transaction fails with others behind it
    let refusal: unknown;
    for (let i = 0; refusal === undefined; i += 50) {
      const results = await Promise.allSettled(
        Array.from({ length: 50 }, (_, more) => append(i + more)),
      );
      refusal = results.find((result) => result.status === "rejected")?.reason;
    }
    assert(refusal instanceof StreamError);
    assertEquals([refusal.code, refusal.retry], ["overloaded", true]);
    assert(refusal.message.includes("the disk is full"), refusal.message);

    // reading goes on, and shows what was acknowledged, no more
    assertEquals((await store.info("c")).next, acknowledged.length);
    assertEquals(await texts(store, "c"), acknowledged);
    assertEquals(seen, acknowledged);

    await full.free();
    for (let i = 0; i < 10; i++) await append(10_000 + i);
    await store.append("other", RELAY, { n: 1, text: "too" });
    assertEquals(await texts(store, "c"), acknowledged);
    assertEquals(seen, acknowledged);
    await store.close();

    const again = await openSqliteStore({ path });
    assertEquals(await texts(again, "c"), acknowledged);
    assertEquals(await texts(again, "other"), ["too"]);
    await again.close();
  },
});

Deno.test({
  name: "sqlite disk full - a producer waits, and its stream ends whole",
  ignore,
  async fn() {
    await using full = await disk(4);
    const store = await openSqliteStore({ path: `${full.path}/store` });
    let refused = 0;
    const append = store.append.bind(store);
    store.append = (...call) => {
      const appended = append(...call);
      appended.catch(() => refused++);
      return appended;
    };
    const secret = "a secret that is long enough";
    const errors: string[] = [];
    await using relay = await serveRelay({
      port: 0,
      secret,
      store,
      log: (level, message) => level === "error" && errors.push(message),
    });
    const control = new ControlClient({ url: relay.url, token: secret });
    const { id, tokens } = await control.createChannel();
    const address = { url: relay.url, channel: id, retry: { base: 5, cap: 50 } };
    const stream = new RelayConsumer({ ...address, token: tokens.consume }).stream();
    const producer = new RelayProducer({ ...address, token: tokens.produce });
    await producer.connect();
    await full.fill();

    const words = Array.from({ length: 3000 }, (_, i) => `${i} `.padEnd(500, "."));
    let ended = false;
    const sending = (async () => {
      for (const word of words) await producer.token(word);
      await producer.done();
      ended = true;
    })();
    const reading = stream.text();
    await until("the producer was refused, came back, and was refused again", () => refused > 1);
    assertEquals(ended, false);
    await full.free();
    await sending;
    assertEquals(await reading, words.join(""));
    const { next } = await control.info(id);
    assertGreater(next, words.length);
    assertEquals(errors, []);
  },
});

Deno.test({
  name: "sqlite disk full - a store can't begin there, and is told so",
  ignore,
  async fn() {
    await using full = await disk(1);
    await full.fill();
    const path = `${full.path}/store`;
    const refused = await assertRejects(() => openSqliteStore({ path }), StreamError);
    assertEquals(refused.code, "overloaded");
    assert(refused.message.includes("the disk is full"), refused.message);
    await full.free();
    await (await openSqliteStore({ path })).close();
  },
});
