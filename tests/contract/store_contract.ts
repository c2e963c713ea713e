/**
 * What every store must do: one suite for all of them.
 *
 * Length: the clauses of one contract, which a new store passes as a whole.
 *
 * @module
 */
import { assert, assertEquals, assertGreater, assertLessOrEqual, assertRejects } from "@std/assert";
import type {
  AppendOptions,
  AppendResult,
  CreateOptions,
  Store,
  StoredFrame,
  Watcher,
} from "../../server/mod.ts";
import { type ChannelEnd, type ErrorCode, StreamError } from "../../stream/mod.ts";
import { until } from "../tools/until.ts";

const SHAPE = { ttl: 60_000, retention: 60_000, maxBytes: 100_000 };
const END: ChannelEnd = { kind: "error", by: "supervisor", code: "oom", message: "Out", ts: 1 };

/** Expects a refusal with a code, and gives back its details. */
async function refused(
  code: ErrorCode,
  work: () => Promise<unknown>,
): Promise<Record<string, unknown>> {
  const error = await assertRejects(work, StreamError);
  assertEquals(error.code, code, error.message);
  return error.details;
}

/** Appends records for a producer. */
function produce(
  store: Store,
  producer: { id: string; epoch?: number; seq: number },
  records: string[],
  options?: AppendOptions,
): Promise<AppendResult> {
  const { id, epoch = 1, seq } = producer;
  return store.append(
    "c",
    { origin: "producer", id, epoch, seq, span: records.length },
    { n: records.length, text: records.join("\n") },
    options,
  );
}

/** The records from an offset on. */
async function records(store: Store, from = 0, id = "c"): Promise<string[]> {
  const out: string[] = [];
  for (let next = from;;) {
    const frames = await store.read(id, next, 64);
    if (frames.length === 0) return out;
    for (const { first, n, text } of frames) {
      out.push(...text.split("\n").slice(Math.max(next - first, 0)));
      next = first + n;
    }
  }
}

/**
 * Registers the suite for a store.
 *
 * @param name What it is called.
 * @param open Opens an empty one; it is closed after each test.
 */
export function storeContract(name: string, open: () => Promise<Store>): void {
  const test = (
    what: string,
    body: (store: Store) => Promise<void>,
    more?: Partial<CreateOptions>,
  ) =>
    Deno.test(`${name} - ${what}`, async () => {
      const store = await open();
      try {
        await store.create({ id: "c", ...SHAPE, ...more });
        await body(store);
      } finally {
        await store.close();
      }
    });

  test("a new channel is empty and has an incarnation of its own", async (store) => {
    const info = await store.info("c");
    const { kind, contentType, keyed, first, next, bytes, claims, end, cancel } = info;
    assertEquals({ kind, contentType, keyed, first, next, bytes, claims, end, cancel }, {
      kind: "exclusive",
      contentType: "application/json",
      keyed: false,
      first: 0,
      next: 0,
      bytes: 0,
      claims: [],
      end: undefined,
      cancel: undefined,
    });
    assertEquals([info.expires - info.created, info.maxBytes], [SHAPE.ttl, SHAPE.maxBytes]);
    await refused("conflict", () => store.create({ id: "c", ...SHAPE }));
    await store.delete("c");
    await refused("not_found", () => store.info("c"));
    const again = await store.create({ id: "c", ...SHAPE });
    assert(again.incarnation !== info.incarnation);
  });

  test("what is not there is refused by every method", async (store) => {
    const id = "nowhere";
    const relay = { origin: "relay" } as const;
    await refused("not_found", () => store.claim(id, "p"));
    await refused("not_found", () => store.append(id, relay, { n: 1, text: "1" }));
    await refused("not_found", () => store.setEnd(id, END));
    await refused("not_found", () => store.requestCancel(id, { by: "admin", ts: 1 }));
    await refused("not_found", () => store.renew(id, 1));
    await refused("not_found", () => store.touch(id));
    await refused("not_found", () => store.read(id, 0, 1));
    await refused("not_found", () => store.putInput(id, new Uint8Array()));
    await refused("not_found", () => store.getInput(id));
    await refused("not_found", () => store.trim(id, 0));
    await refused("not_found", () => store.fork(id, { id: "new", ...SHAPE }, 0));
    await refused("not_found", () => store.delete(id));
  });

  test("claims count up, and the newest alone holds", async (store) => {
    const one = await store.claim("c", "one");
    assertEquals([one.epoch, one.next, one.fenced, one.restarted], [1, 0, false, false]);
    await produce(store, { id: "one", seq: 0 }, ["1", "2"]);
    const back = await store.claim("c", "one");
    assertEquals([back.epoch, back.next, back.restarted], [1, 2, false]);
    const two = await store.claim("c", "two");
    assertEquals([two.epoch, two.next, two.restarted], [2, 0, true]);
    await refused("fenced", () => store.claim("c", "one"));
    await refused("fenced", () => produce(store, { id: "one", seq: 2 }, ["3"]));
    await refused("fenced", () => produce(store, { id: "one", epoch: 2, seq: 0 }, ["3"]));
    await refused("conflict", () => produce(store, { id: "stranger", seq: 0 }, ["3"]));
    const { claims } = await store.info("c");
    assertEquals(claims.map(({ epoch, next, fenced }) => [epoch, next, fenced]), [
      [1, 2, true],
      [2, 0, false],
    ]);
    // two wrote nothing: there is nothing that starts over
    assertEquals((await store.claim("c", "three")).restarted, false);
  });

  test("what continues must be the committed tail", async (store) => {
    await store.claim("c", "one");
    await produce(store, { id: "one", seq: 0 }, ["1", "2"]);
    await refused("seq_gap", () => store.claim("c", "two", { epoch: 1, count: 1 }));
    await refused("seq_gap", () => store.claim("c", "two", { epoch: 2, count: 2 }));
    const two = await store.claim("c", "two", { epoch: 1, count: 2 });
    assertEquals([two.epoch, two.restarted], [2, false]);
  });

  test("a claim tells where its first record stands", async (store) => {
    await store.append("c", { origin: "relay" }, { n: 2, text: "{}\n{}" });
    await store.claim("c", "one");
    assertEquals((await store.info("c")).claims[0].first, undefined);
    await produce(store, { id: "one", seq: 0 }, ["a", "b"]);
    await produce(store, { id: "one", seq: 2 }, ["c"]);
    await store.claim("c", "two");
    await produce(store, { id: "two", epoch: 2, seq: 0 }, ["d"]);
    assertEquals((await store.info("c")).claims.map(({ first }) => first), [2, 5]);
  });

  test("claims at the same time get different epochs", async (store) => {
    const claims = await Promise.all(["a", "b", "c", "d"].map((id) => store.claim("c", id)));
    assertEquals(claims.map(({ epoch }) => epoch).sort(), [1, 2, 3, 4]);
  });

  test("frames are kept whole and read from any offset", async (store) => {
    await store.claim("c", "p");
    await produce(store, { id: "p", seq: 0 }, ["1", "2", "3"]);
    await store.append("c", { origin: "supervisor" }, { n: 1, text: "s" });
    const result = await produce(store, { id: "p", seq: 3 }, [" é ", "5"]);
    assertEquals(result, { next: 6, nextSeq: 5, appended: 2 });
    const frames = await store.read("c", 0, 1e6);
    assertEquals(
      frames.map(({ first, n, text, origin, epoch, seq }) => [first, n, text, origin, epoch, seq]),
      [
        [0, 3, "1\n2\n3", "producer", 1, 0],
        [3, 1, "s", "supervisor", undefined, undefined],
        [4, 2, " é \n5", "producer", 1, 3],
      ],
    );
    const all = ["1", "2", "3", "s", " é ", "5"];
    for (let from = 0; from <= 6; from++) assertEquals(await records(store, from), all.slice(from));
    // at least one, however small the bound
    assertEquals((await store.read("c", 1, 1)).map(({ first }) => first), [0]);
    assertEquals(await store.read("c", 6, 1e6), []);
  });

  test("what is sent again is trimmed, a gap is refused", async (store) => {
    await store.claim("c", "p");
    await produce(store, { id: "p", seq: 0 }, ["1", "2"]);
    const same = await produce(store, { id: "p", seq: 0 }, ["1", "2"]);
    assertEquals([same.appended, same.next, same.nextSeq], [0, 2, 2]);
    const part = await produce(store, { id: "p", seq: 1 }, ["2", "3", "4"]);
    assertEquals([part.appended, part.next, part.nextSeq], [2, 4, 4]);
    const details = await refused("seq_gap", () => produce(store, { id: "p", seq: 5 }, ["6"]));
    assertEquals(details.expected, 4);
    assertEquals(await records(store), ["1", "2", "3", "4"]);
    const [, rest] = await store.read("c", 2, 1e6).then((frames) => [0, frames.at(-1)]) as [
      number,
      StoredFrame,
    ];
    assertEquals([rest.first, rest.seq], [2, 2]);
  });

  test("appends at the same time keep the order they came in", async (store) => {
    await store.claim("c", "p");
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, seq) => produce(store, { id: "p", seq }, [String(seq)])),
    );
    assertEquals(results.map(({ next }) => next), Array.from({ length: 50 }, (_, at) => at + 1));
    assertEquals(await records(store), Array.from({ length: 50 }, (_, seq) => String(seq)));
  });

  test("a span of one counts a batch once", async (store) => {
    await store.claim("c", "p");
    const writer = (
      seq: number,
    ) => ({ origin: "producer", id: "p", epoch: 1, seq, span: 1 } as const);
    const first = await store.append("c", writer(0), { n: 3, text: "1\n2\n3" });
    assertEquals([first.next, first.nextSeq], [3, 1]);
    const again = await store.append("c", writer(0), { n: 3, text: "1\n2\n3" });
    assertEquals([again.appended, again.next], [0, 3]);
    assertEquals((await store.append("c", writer(1), { n: 1, text: "4" })).next, 4);
  });

  test("Stream-Seq must grow, and a refused append leaves it", async (store) => {
    const relay = { origin: "relay" } as const;
    await store.append("c", relay, { n: 1, text: "1" }, { streamSeq: "a" });
    await refused(
      "conflict",
      () => store.append("c", relay, { n: 1, text: "2" }, { streamSeq: "a" }),
    );
    const large = "x".repeat(SHAPE.maxBytes);
    await refused(
      "limit",
      () => store.append("c", relay, { n: 1, text: large }, { streamSeq: "z" }),
    );
    await store.append("c", relay, { n: 1, text: "2" }, { streamSeq: "b" });
    assertEquals(await records(store), ["1", "2"]);
  });

  test("the last record and the end are committed together", async (store) => {
    await store.claim("c", "p");
    const { end } = await produce(store, { id: "p", seq: 0 }, ["1", "2"], { close: "done" });
    assertEquals([end?.kind, end?.by, end?.offset], ["done", "producer", 1]);
    const again = await produce(store, { id: "p", seq: 0 }, ["1", "2"], { close: "done" });
    assertEquals([again.appended, again.end?.kind], [0, "done"]);
    await refused("ended", () => produce(store, { id: "p", seq: 2 }, ["3"]));
    await refused("ended", () => store.append("c", { origin: "relay" }, { n: 1, text: "3" }));
    await refused("ended", () => store.claim("c", "another"));
    assertEquals((await store.claim("c", "p")).next, 2);
  });

  test("the end is set once, whoever comes at the same time", async (store) => {
    const ends = await Promise.all([
      store.setEnd("c", END),
      store.setEnd("c", { ...END, code: "walltime" }),
      store.setEnd("c", { kind: "done", by: "relay", ts: 2 }),
    ]);
    assertEquals(ends.map(({ set }) => set), [true, false, false]);
    for (const { end } of ends) assertEquals(end, END);
    const info = await store.info("c");
    assertEquals(info.end, END);
    assertLessOrEqual(Math.abs(info.expires - Date.now() - SHAPE.retention), 10_000);
  });

  test("the first cancel stands", async (store) => {
    const cancel = { by: "consumer", reason: "enough", ts: 1 } as const;
    assertEquals(await store.requestCancel("c", cancel), cancel);
    assertEquals(await store.requestCancel("c", { by: "admin", ts: 2 }), cancel);
    assertEquals((await store.info("c")).cancel, cancel);
  });

  test("a lease is kept, given up, and over with the end", async (store) => {
    await store.renew("c", 5000, { running: 5 });
    const info = await store.info("c");
    assertEquals([info.leaseUntil, info.onDisconnect], [5000, { running: 5 }]);
    await store.renew("c", 0);
    assertEquals((await store.info("c")).leaseUntil, undefined);
    await store.renew("c", 7000);
    await store.setEnd("c", END);
    assertEquals((await store.info("c")).leaseUntil, undefined);
  });

  test("the input is replaced as a whole and gone with the end", async (store) => {
    assertEquals(await store.getInput("c"), undefined);
    await store.putInput("c", new Uint8Array([1, 2, 3]));
    await store.putInput("c", new Uint8Array([4]));
    assertEquals(new Uint8Array(await store.getInput("c") ?? []), new Uint8Array([4]));
    await store.setEnd("c", END);
    assertEquals(await store.getInput("c"), undefined);
    await refused("ended", () => store.putInput("c", new Uint8Array([5])));
  });

  test("whoever watches is told in order, until it leaves", async (store) => {
    const told: string[] = [];
    const watcher: Watcher = {
      records: (next) => told.push(`${next}`),
      ended: ({ kind }) => told.push(kind),
      cancelled: ({ by }) => told.push(by),
      gone: () => told.push("gone"),
    };
    store.watch("c", watcher);
    const left: Watcher = {
      records: () => told.push("left"),
      ended: () => told.push("left"),
      cancelled: () => told.push("left"),
      gone: () => told.push("left"),
    };
    store.watch("c", left)();
    await store.append("c", { origin: "relay" }, { n: 2, text: "1\n2" });
    await store.requestCancel("c", { by: "admin", ts: 1 });
    await store.setEnd("c", END);
    await store.delete("c");
    await until("it was told", () => told.includes("gone"), { every: 1 });
    assertEquals(told, ["2", "admin", "error", "gone"]);
  });

  test("trimming drops whole frames before an offset", async (store) => {
    const relay = { origin: "relay" } as const;
    for (const text of ["0\n1", "2\n3", "4\n5"]) await store.append("c", relay, { n: 2, text });
    await store.trim("c", 3);
    const info = await store.info("c");
    assertEquals([info.first, info.next, info.bytes], [2, 6, 6]);
    assertEquals((await store.read("c", 0, 1e6))[0].first, 2);
    await store.trim("c", 6);
    assertEquals([(await store.info("c")).first, (await store.info("c")).bytes], [6, 0]);
    assertEquals(await store.read("c", 0, 1e6), []);
    assertEquals((await store.append("c", relay, { n: 1, text: "6" })).next, 7);
  });

  test("a full channel refuses, and keeps what it has", async (store) => {
    const relay = { origin: "relay" } as const;
    await store.append("c", relay, { n: 1, text: "x".repeat(60) });
    await refused("limit", () => store.append("c", relay, { n: 1, text: "y".repeat(60) }));
    assertEquals((await store.info("c")).next, 1);
    await store.append("c", relay, { n: 1, text: "z".repeat(40) });
  }, { maxBytes: 100 });

  test("or drops its oldest, where it was made so", async (store) => {
    const relay = { origin: "relay" } as const;
    for (let at = 0; at < 30; at++) {
      await store.append("c", relay, { n: 1, text: String(at).padStart(10, "0") });
    }
    const { first, next, bytes } = await store.info("c");
    assertEquals(next, 30);
    assertGreater(first, 15);
    assertLessOrEqual(bytes, 100);
    const [oldest] = await store.read("c", 0, 1e6);
    assertEquals([oldest.first, Number(oldest.text)], [first, first]);
    await refused("limit", () => store.append("c", relay, { n: 1, text: "x".repeat(101) }));
  }, { maxBytes: 100, whenFull: "drop-oldest" });

  test("a keyed channel never drops", async (store) => {
    const relay = { origin: "relay" } as const;
    await store.append("c", relay, { n: 1, text: "x".repeat(60) });
    await refused("limit", () => store.append("c", relay, { n: 1, text: "y".repeat(60) }));
  }, { maxBytes: 100, whenFull: "drop-oldest", keyed: true });

  test("a fork starts with the first records of another", async (store) => {
    const relay = { origin: "relay" } as const;
    for (const text of ["0\n1", "2\n3"]) await store.append("c", relay, { n: 2, text });
    const fork = await store.fork("c", { id: "d", ...SHAPE }, 3);
    assertEquals([fork.next, fork.first], [3, 0]);
    assertEquals(await records(store, 0, "d"), ["0", "1", "2"]);
    await store.append("d", relay, { n: 1, text: "x" });
    assertEquals(await records(store), ["0", "1", "2", "3"]);
    await refused("bad_offset", () => store.fork("c", { id: "e", ...SHAPE }, 5));
    await refused("conflict", () => store.fork("c", { id: "d", ...SHAPE }, 1));
    // offsets are the same in both, also where the source has dropped its oldest
    await store.trim("c", 2);
    const late = await store.fork("c", { id: "f", ...SHAPE }, 4);
    assertEquals([late.first, late.next], [2, 4]);
    assertEquals(await records(store, 2, "f"), ["2", "3"]);
    await refused("limit", () => store.fork("c", { id: "g", ...SHAPE, maxBytes: 1 }, 4));
    await refused("not_found", () => store.info("g"));
  });

  test("lists by prefix, oldest first", async (store) => {
    for (const id of ["b-1", "a-1", "b-2"]) await store.create({ id, ...SHAPE });
    assertEquals((await store.list()).map(({ id }) => id), ["c", "b-1", "a-1", "b-2"]);
    assertEquals((await store.list("b-")).map(({ id }) => id), ["b-1", "b-2"]);
    assertEquals(await store.list("x"), []);
  });

  test("sweeps what has expired and is not in use", async (store) => {
    for (const id of ["leased", "used", "ended", "fresh"]) await store.create({ id, ...SHAPE });
    const gone: string[] = [];
    store.watch("c", { records() {}, ended() {}, cancelled() {}, gone: () => gone.push("c") });
    const later = Date.now() + SHAPE.ttl + 5000;
    await store.renew("leased", later + 5000);
    await store.setEnd("ended", END);
    assertEquals(await store.sweep(Date.now(), () => false), []);
    const swept = await store.sweep(later, (id) => id === "used" || id === "fresh");
    assertEquals(swept.sort(), ["c", "ended"]);
    await until("it was told", () => gone.length > 0, { every: 1 });
    assertEquals((await store.list()).map(({ id }) => id), ["leased", "used", "fresh"]);
  });

  test("any text and any input comes back as it went in", async (store) => {
    const texts = ["\uFEFFmark", "\0nul\0", "é\u{1F600}", "", "\n", "x".repeat(70_000), " "];
    for (const text of texts) {
      await store.append("c", { origin: "relay" }, { n: text.split("\n").length, text });
    }
    const frames = await store.read("c", 0, 1_000_000);
    assertEquals(frames.map(({ text }) => text), texts);
    assertEquals((await store.read("c", 2, 1))[0].text, texts[2]);
    assertEquals((await store.info("c")).bytes, texts.join("").length);
    await store.putInput("c", new Uint8Array());
    assertEquals((await store.getInput("c"))?.length, 0);
  });

  test("calls made in one go take effect in the order made", async (store) => {
    const writer = (seq: number) =>
      ({ origin: "producer", id: "p", epoch: 1, seq, span: 1 }) as const;
    const answers: string[] = [];
    const note = (name: string, call: Promise<unknown>) =>
      call.then(() => answers.push(name), ({ code }) => answers.push(`${name} ${code}`));
    await Promise.all([
      note("claim", store.claim("c", "p")),
      note("first", store.append("c", writer(0), { n: 1, text: "1" })),
      note("again", store.append("c", writer(0), { n: 1, text: "1" })),
      note("gap", store.append("c", writer(2), { n: 1, text: "3" })),
      note("second", store.append("c", writer(1), { n: 1, text: "2" }, { close: "done" })),
      note("after", store.append("c", writer(2), { n: 1, text: "3" })),
    ]);
    assertEquals(answers, ["claim", "first", "again", "gap seq_gap", "second", "after ended"]);
    assertEquals(await records(store), ["1", "2"]);
  });

  test("news comes before its answer, and shows what can be read", async (store) => {
    const told: [next: number, text?: string][] = [];
    store.watch("c", {
      records: (next, frame) => told.push([next, frame?.text]),
      ended: () => {},
      cancelled: () => {},
      gone: () => {},
    });
    for (let i = 0; i < 3; i++) {
      await store.append("c", { origin: "relay" }, { n: 1, text: `${i}` });
      assertEquals(told[i][0], i + 1);
      assertEquals((await store.read("c", i, 1))[0].text, told[i][1] ?? `${i}`);
    }
  });

  test("info is a copy", async (store) => {
    await store.claim("c", "p");
    const before = await store.info("c");
    await produce(store, { id: "p", seq: 0 }, ["1"]);
    assertEquals([before.next, before.claims[0].next], [0, 0]);
  });
}
