/** Single records are gathered in the memory store, and come back as they were. @module */
import { assert, assertEquals } from "@std/assert";
import { type CreateOptions, MemoryStore } from "../../../server/mod.ts";

const writer = (seq: number) => ({ origin: "producer" as const, id: "p", epoch: 1, seq, span: 1 });

async function channel(more: Partial<CreateOptions> = {}): Promise<MemoryStore> {
  const store = new MemoryStore();
  await store.create({ id: "c", ttl: 1e6, retention: 1e6, maxBytes: 1e8, ...more });
  await store.claim("c", "p");
  return store;
}

async function lines(store: MemoryStore, from = 0): Promise<string[]> {
  const frames = await store.read("c", from, Infinity);
  return frames.flatMap(({ text }) => text.split("\n"));
}

async function comesBack(store: MemoryStore, written: string[]): Promise<void> {
  written.forEach((text, seq) => store.appendNow("c", writer(seq), { n: 1, text }));
  assertEquals(await lines(store), written);
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
  await comesBack(store, Array.from({ length: 2000 }, (_, seq) => written[seq % written.length]));
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
  await comesBack(store, Array.from({ length: 2600 }, (_, seq) => written[seq % written.length]));
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

Deno.test("gathered - tokens that were read meanwhile, and from the middle on", async () => {
  const store = await channel();
  const written = Array.from({ length: 1000 }, (_, seq) => `{"type":"token","content":"${seq}"}`);
  for (let seq = 0; seq < written.length; seq++) {
    store.appendNow("c", writer(seq), { n: 1, text: written[seq] });
    if (seq % 7 === 0) {
      const from = Math.floor(seq / 2);
      const [frame] = await store.read("c", from, 1);
      assertEquals(frame.text.split("\n")[from - frame.first], written[from]);
    }
  }
  assertEquals(await lines(store), written);
  await store.fork("c", { id: "fork", ttl: 1e6, retention: 1e6, maxBytes: 1e8 }, 501);
  const forked = await store.read("fork", 0, Infinity);
  assertEquals(forked.flatMap(({ text }) => text.split("\n")), written.slice(0, 501));
});

Deno.test("gathered - the longest that fit, of three bytes each", async () => {
  const store = await channel();
  const written = [1024 - 29, 3, 1024 - 29, 1024 - 30].map((length) =>
    `{"type":"token","content":"${"潮".repeat(length)}"}`
  );
  await comesBack(store, written);
});

Deno.test("gathered - a small channel drops little when it is full", async () => {
  const maxBytes = 4000;
  const store = await channel({ maxBytes, whenFull: "drop-oldest" });
  const text = '{"type":"token","content":" tide"}';
  for (let seq = 0; seq < 1000; seq++) {
    store.appendNow("c", writer(seq), { n: 1, text });
    const { bytes } = await store.info("c");
    assert(bytes <= maxBytes);
    if ((seq + 1) * text.length > maxBytes) assert(bytes > 0.8 * maxBytes, `${bytes} are left`);
  }
});
