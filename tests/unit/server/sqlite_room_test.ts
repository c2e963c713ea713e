/** How a sqlite store keeps to its bytes, and gives room back. @module */
import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import type { Store, Watcher } from "../../../server/mod.ts";
import { type ChannelEnd, StreamError } from "../../../stream/mod.ts";
import { until } from "../../tools/until.ts";
import { SHAPE, sqliteFolder } from "./sqlite_folder.ts";

const RELAY = { origin: "relay" } as const;
const QUIET: Watcher = { records() {}, ended() {}, cancelled() {}, gone() {} };

/** A channel with so many bytes, ended if a time is given. */
async function fill(store: Store, id: string, bytes: number, ended?: number): Promise<void> {
  await store.create({ id, ...SHAPE, maxBytes: 100_000_000 });
  await store.append(id, RELAY, { n: 1, text: "x".repeat(bytes) });
  const end = (ts: number): ChannelEnd => ({ kind: "done", by: "producer", ts });
  if (ended !== undefined) await store.setEnd(id, end(ended));
}

async function names(store: Store): Promise<string[]> {
  return (await store.list()).map(({ id }) => id);
}

Deno.test("sqlite room - the channels that ended first make room", async () => {
  await using folder = await sqliteFolder();
  const store = await folder.open({ maxTotalBytes: 1000 });
  await fill(store, "live", 300);
  await fill(store, "first", 300, 1);
  await fill(store, "second", 300, 2);
  await store.append("live", RELAY, { n: 1, text: "x".repeat(200) });
  assertEquals(await names(store), ["live", "second"]);
  // the sweep tells what went meanwhile, once
  assertEquals(await store.sweep(0, () => false), ["first"]);
  assertEquals(await store.sweep(0, () => false), []);
});

Deno.test("sqlite room - which ended first is known after a restart too", async () => {
  await using folder = await sqliteFolder();
  const before = await folder.open();
  await fill(before, "later", 400, 5);
  await fill(before, "earlier", 400, 4);
  const store = await folder.open({ maxTotalBytes: 1000 });
  await fill(store, "new", 300);
  assertEquals(await names(store), ["later", "new"]);
});

Deno.test("sqlite room - what somebody reads stays, and who writes has to wait", async () => {
  await using folder = await sqliteFolder();
  const store = await folder.open({ maxTotalBytes: 1000 });
  await fill(store, "live", 300);
  await fill(store, "read", 600, 1);
  const unwatch = store.watch("read", QUIET);
  const append = () => store.append("live", RELAY, { n: 1, text: "x".repeat(200) });
  const error = await assertRejects(append, StreamError, "The store is full");
  assertEquals([error.code, error.retry], ["overloaded", true]);
  unwatch();
  await append();
  assertEquals(await names(store), ["live"]);
});

Deno.test("sqlite room - the file shrinks again", async () => {
  await using folder = await sqliteFolder();
  const store = await folder.open();
  const size = async () => (await Deno.stat(`${folder.path}/streamrelay.db`)).size;
  await store.create({ id: "big", ...SHAPE, maxBytes: 100_000_000 });
  for (let i = 0; i < 20; i++) {
    await store.append("big", RELAY, { n: 1, text: "x".repeat(1_000_000) });
  }
  await until("the log is written back", async () => await size() > 15_000_000);
  await store.delete("big");
  await until("the room is given back", async () => await size() < 10_000_000);
  await folder.close();
  assertLess(await size(), 10_000_000);
});

Deno.test("sqlite room - a trimmed log reads on from where it begins, also after a restart", async () => {
  await using folder = await sqliteFolder();
  const store = await folder.open();
  await store.create({ id: "c", ...SHAPE });
  for (let i = 0; i < 100; i++) await store.append("c", RELAY, { n: 2, text: `${i}\n${i}` });
  // in the middle of a frame, which stays whole
  await store.trim("c", 101);
  const look = async (opened: Store) => {
    const { first, next, bytes } = await opened.info("c");
    assertEquals([first, next, bytes], [100, 200, 250]);
    const [frame] = await opened.read("c", 0, 1);
    assertEquals([frame.first, frame.text], [100, "50\n50"]);
  };
  await look(store);
  await look(await folder.open());
});

Deno.test("sqlite room - a channel in use is not swept, an expired one is", async () => {
  await using folder = await sqliteFolder();
  const store = await folder.open();
  await fill(store, "used", 10, 1);
  await fill(store, "over", 10, 1);
  const later = Date.now() + SHAPE.retention + 1;
  assertEquals(await store.sweep(later, (id) => id === "used"), ["over"]);
  assert((await names(await folder.open())).includes("used"));
});
