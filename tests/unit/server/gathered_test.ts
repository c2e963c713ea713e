/** Single records are gathered in the memory store, and come back as they were. @module */
import { assertEquals } from "@std/assert";
import { MemoryStore } from "../../../server/mod.ts";

const writer = (seq: number) => ({ origin: "producer" as const, id: "p", epoch: 1, seq, span: 1 });

async function channel(): Promise<MemoryStore> {
  const store = new MemoryStore();
  await store.create({ id: "c", ttl: 1e6, retention: 1e6, maxBytes: 1e8 });
  await store.claim("c", "p");
  return store;
}

async function lines(store: MemoryStore, from = 0): Promise<string[]> {
  const frames = await store.read("c", from, Infinity);
  return frames.flatMap(({ text }) => text.split("\n"));
}

Deno.test("gathered - ASCII, other characters, empty, long: every record is what was written", async () => {
  const store = await channel();
  const written = [
    "{}",
    "Gezeiten ändern sich",
    "潮汐🌊",
    "\uFEFFmark",
    "",
    "x".repeat(1100),
    "é".repeat(1024),
  ];
  for (let seq = 0; seq < 2000; seq++) {
    store.appendNow("c", writer(seq), { n: 1, text: written[seq % written.length] });
  }
  assertEquals(
    await lines(store),
    Array.from({ length: 2000 }, (_, seq) => written[seq % written.length]),
  );
  const { next, bytes } = await store.info("c");
  const units = (count: number) =>
    written.slice(0, count).reduce((sum, text) => sum + text.length, 0);
  assertEquals([next, bytes], [2000, 285 * units(7) + units(5)]);
});

Deno.test("gathered - tokens of either spelling, and what only looks like one, come back byte for byte", async () => {
  const store = await channel();
  const written = [
    '{"type":"token","content":"tide"}',
    '{"type": "token", "content": "tide"}',
    '{"type":"token","content":""}',
    '{"type":"token","content":"}',
    '{"type":"token","content":"',
    '{"type":"token","content":"a","ts":1}',
    '{"type":"token","content":"\\"}\\u2028"}',
    '{"type":"token","content":"\u2028Ebbe\r🌊"}',
    '{"type": "token", "content": "Überflutung"}',
    '{"type":"done"}',
    "\x01",
    "\x02tide",
    "\x03",
  ];
  for (let seq = 0; seq < 2600; seq++) {
    store.appendNow("c", writer(seq), { n: 1, text: written[seq % written.length] });
  }
  assertEquals(
    await lines(store),
    Array.from({ length: 2600 }, (_, seq) => written[seq % written.length]),
  );
  assertEquals((await store.info("c")).bytes, 200 * written.join("").length);
});

Deno.test("gathered - what was read does not change when more is written", async () => {
  const store = await channel();
  store.appendNow("c", writer(0), { n: 1, text: "a" });
  const [first] = await store.read("c", 0, Infinity);
  store.appendNow("c", writer(1), { n: 1, text: "b" });
  assertEquals([first.n, first.text], [1, "a"]);
  assertEquals(await lines(store, 1), ["b"]);
});

Deno.test("gathered - after everything was dropped the next record begins anew", async () => {
  const store = await channel();
  store.appendNow("c", writer(0), { n: 1, text: "a" });
  await store.trim("c", 1);
  store.appendNow("c", writer(1), { n: 1, text: "b" });
  assertEquals(await lines(store), ["b"]);
  assertEquals((await store.info("c")).first, 1);
});
