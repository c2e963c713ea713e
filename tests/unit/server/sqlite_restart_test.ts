/** What a sqlite store knows after it was closed and opened again. @module */
import { assert, assertEquals, assertGreaterOrEqual, assertLess, assertRejects } from "@std/assert";
import { type ChannelEnd, StreamError } from "../../../stream/mod.ts";
import { SHAPE, sqliteFolder } from "./sqlite_folder.ts";

const END: ChannelEnd = { kind: "error", by: "supervisor", code: "oom", message: "Out", ts: 7 };

Deno.test("sqlite restart - a channel comes back as it was", async () => {
  await using folder = await sqliteFolder();
  const before = await folder.open();
  await before.create({
    id: "c",
    ...SHAPE,
    kind: "shared",
    contentType: "text/plain",
    owner: "me",
  });
  await before.claim("c", "one");
  await before.append("c", { origin: "producer", id: "one", epoch: 1, seq: 0, span: 2 }, {
    n: 2,
    text: "a\nb",
  });
  await before.claim("c", "two");
  await before.append("c", { origin: "producer", id: "two", epoch: 2, seq: 0, span: 1 }, {
    n: 1,
    text: "c",
  }, { streamSeq: "5" });
  await before.append("c", { origin: "supervisor" }, { n: 1, text: "s" });
  await before.requestCancel("c", { by: "admin", reason: "enough", ts: 3 });
  await before.renew("c", Date.now() + 30_000, { pending: "keep", running: 5 });
  await before.putInput("c", new Uint8Array([1, 2, 3]));
  const info = await before.info("c");
  const frames = await before.read("c", 0, 1000);

  const after = await folder.open();
  const { expires, leaseUntil, ...rest } = await after.info("c");
  const { expires: _, leaseUntil: __, ...expected } = info;
  assertEquals(JSON.stringify(rest), JSON.stringify(expected));
  assertGreaterOrEqual(expires, info.expires);
  assertGreaterOrEqual(leaseUntil!, info.leaseUntil!);
  assertEquals(await after.read("c", 0, 1000), frames);
  assertEquals(await after.getInput("c"), new Uint8Array([1, 2, 3]));
  // claims and Stream-Seq hold as before
  assertEquals(await after.claim("c", "two"), {
    producerId: "two",
    epoch: 2,
    next: 1,
    first: 2,
    fenced: false,
    restarted: false,
  });
  await assertRejects(() => after.claim("c", "one"), StreamError, "newer producer");
  await assertRejects(
    () => after.append("c", { origin: "relay" }, { n: 1, text: "x" }, { streamSeq: "5" }),
    StreamError,
    "Stream-Seq",
  );
});

Deno.test("sqlite restart - leases and lives count anew, retention does not", async () => {
  await using folder = await sqliteFolder();
  const before = await folder.open();
  for (const id of ["held", "lapsed", "given up", "ended"]) {
    await before.create({ id, ...SHAPE });
  }
  await before.renew("held", Date.now() + 30_000);
  await before.renew("lapsed", Date.now() - 1);
  await before.renew("given up", Date.now() + 30_000);
  await before.renew("given up", 0);
  await before.setEnd("ended", END);
  const ended = await before.info("ended");
  await folder.close();

  const opened = Date.now();
  const after = await folder.open();
  const lease = async (id: string) => (await after.info(id)).leaseUntil;
  assertGreaterOrEqual((await lease("held"))!, opened + 29_000);
  assertLess((await lease("lapsed"))!, opened);
  assertEquals(await lease("given up"), undefined);
  assertGreaterOrEqual((await after.info("held")).expires, opened + SHAPE.ttl);
  assertEquals((await after.info("ended")).expires, ended.expires);
  assertEquals((await after.info("ended")).end, END);
});

Deno.test("sqlite restart - what was deleted stays away, and its name is free", async () => {
  await using folder = await sqliteFolder();
  const before = await folder.open();
  await before.create({ id: "c", ...SHAPE });
  await before.append("c", { origin: "relay" }, { n: 1, text: "old" });
  await before.delete("c");
  await before.create({ id: "c", ...SHAPE });
  await before.append("c", { origin: "relay" }, { n: 1, text: "new" });

  const after = await folder.open();
  assertEquals((await after.list()).map(({ id, next }) => [id, next]), [["c", 1]]);
  assertEquals((await after.read("c", 0, 100)).map(({ text }) => text), ["new"]);
});

Deno.test("sqlite restart - a log that drops its oldest still drops part by part", async () => {
  await using folder = await sqliteFolder();
  const before = await folder.open();
  await before.create({ id: "c", ...SHAPE, maxBytes: 1000, whenFull: "drop-oldest" });
  for (let i = 0; i < 95; i++) {
    await before.append("c", { origin: "relay" }, { n: 1, text: `${i}`.padStart(10) });
  }
  const after = await folder.open();
  for (let i = 95; i < 105; i++) {
    await after.append("c", { origin: "relay" }, { n: 1, text: `${i}`.padStart(10) });
  }
  const { first, next, bytes } = await after.info("c");
  assertEquals(next, 105);
  assert(first > 5 && first < 30, `dropped up to ${first}`);
  assertEquals(bytes, (next - first) * 10);
  const frames = await after.read("c", 0, 10_000);
  assertEquals([frames[0].first, frames.length], [first, next - first]);
});

Deno.test("sqlite restart - where a claim began is kept with its first record", async () => {
  await using folder = await sqliteFolder();
  const before = await folder.open();
  await before.create({ id: "c", ...SHAPE });
  await before.claim("c", "one");
  await before.append("c", { origin: "relay" }, { n: 1, text: "{}" });
  await before.append("c", { origin: "producer", id: "one", epoch: 1, seq: 0, span: 1 }, {
    n: 1,
    text: "a",
  });
  const after = await folder.open();
  assertEquals((await after.info("c")).claims[0].first, 1);
});
