/** Group commit: who is told what, and when; and what becomes of a transaction that fails. @module */
import { assertEquals, assertRejects } from "@std/assert";
import type { StoredFrame, Watcher } from "../../../server/mod.ts";
import { prepareFolder } from "../../../server/store/sqlite/prepare_folder.ts";
import { schemaSteps } from "../../../server/store/sqlite/schema.ts";
import { SqliteStore } from "../../../server/store/sqlite/sqlite_store.ts";
import { storeFailure } from "../../../server/store/sqlite/store_failure.ts";
import { StoreThread } from "../../../server/store/sqlite/store_thread.ts";
import type { Batch } from "../../../server/store/sqlite/thread_messages.ts";
import { StreamError } from "../../../stream/mod.ts";
import { SHAPE } from "./sqlite_folder.ts";

const RELAY = { origin: "relay" } as const;

/** A store whose transactions can be looked at, held up and made to fail. */
class Watched implements AsyncDisposable {
  /** The transactions that were begun. */
  batches: Batch[] = [];
  /** Whether the next ones fail for want of room. */
  full = false;
  /** What the next transaction waits for. */
  gate: Promise<void> = Promise.resolve();
  store!: SqliteStore;
  #folder!: string;

  static async open(): Promise<Watched> {
    const watched = new Watched();
    watched.#folder = await Deno.makeTempDir();
    const thread = new StoreThread(watched.#folder);
    const file = await prepareFolder(watched.#folder);
    await thread.ask({ ask: "open", file, sync: "normal", wait: 0 });
    await thread.ask({ ask: "migrate", sql: schemaSteps(0)! });
    const ask = thread.ask.bind(thread);
    thread.ask = async <T>(request: Parameters<typeof ask>[0]): Promise<T> => {
      if (request.ask !== "commit") return await ask<T>(request);
      watched.batches.push(request.batch);
      await watched.gate;
      if (watched.full) throw storeFailure({ failed: "", errcode: 13 }, "here");
      return await ask<T>(request);
    };
    watched.store = await SqliteStore.load({ thread, sync: "normal", maxTotalBytes: 1e9 });
    return watched;
  }

  /** Holds transactions up until the returned function is called. */
  hold(): () => void {
    let go = () => {};
    this.gate = new Promise((resolve) => go = resolve);
    return go;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** Notes what is told. */
function noting(told: string[]): Watcher {
  return {
    records: (next: number, frame?: StoredFrame) => told.push(`${next}: ${frame?.text}`),
    ended: ({ kind }) => told.push(kind),
    cancelled: ({ by }) => told.push(`cancelled by ${by}`),
    gone: () => told.push("gone"),
  };
}

Deno.test("sqlite commit - what comes during a commit goes into the next one, together", async () => {
  await using watched = await Watched.open();
  const { store, batches } = watched;
  await store.create({ id: "c", ...SHAPE });
  batches.length = 0;
  const go = watched.hold();
  const told: string[] = [];
  store.watch("c", noting(told));
  const first = store.append("c", RELAY, { n: 1, text: "a" });
  await Promise.resolve();
  const rest = ["b", "c", "d"].map((text) => store.append("c", RELAY, { n: 1, text }));
  const end = store.setEnd("c", { kind: "done", by: "relay", ts: 1 });
  assertEquals(told, []);
  go();
  await Promise.all([first, ...rest, end]);
  assertEquals(batches.map(({ frames }) => frames.length), [1, 3]);
  // the end goes with the records before it
  assertEquals(batches.map(({ channels }) => channels.length), [0, 1]);
  assertEquals(told, ["1: a", "2: b", "3: c", "4: d", "done"]);
});

Deno.test("sqlite commit - how things stand is told only once it is committed", async () => {
  await using watched = await Watched.open();
  const { store } = watched;
  await store.create({ id: "c", ...SHAPE });
  const go = watched.hold();
  let answered = false;
  const append = store.append("c", RELAY, { n: 1, text: "a" });
  const info = store.info("c").then(({ next }) => {
    answered = true;
    return next;
  });
  // longer than any chain of promises in between
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(answered, false);
  assertEquals(await store.read("c", 0, 100), []);
  go();
  await append;
  assertEquals(await info, 1);
});

Deno.test("sqlite commit - a refusal, too, waits for what it rests on", async () => {
  await using watched = await Watched.open();
  const { store } = watched;
  await store.create({ id: "c", ...SHAPE });
  watched.full = true;
  const end = store.setEnd("c", { kind: "done", by: "relay", ts: 1 });
  end.catch(() => {});
  // "ended" would be false: the end is not there yet, and never will be
  const append = await assertRejects(
    () => store.append("c", RELAY, { n: 1, text: "a" }),
    StreamError,
  );
  assertEquals(append.code, "overloaded");
  await assertRejects(() => end, StreamError, "the disk is full");
  watched.full = false;
  await store.append("c", RELAY, { n: 1, text: "a" });
  assertEquals((await store.info("c")).end, undefined);
});

Deno.test("sqlite commit - a transaction that fails leaves everything as it was", async () => {
  await using watched = await Watched.open();
  const { store } = watched;
  await store.create({ id: "c", ...SHAPE });
  await store.create({ id: "gone", ...SHAPE });
  await store.claim("c", "p");
  const writer = (seq: number) =>
    ({ origin: "producer", id: "p", epoch: 1, seq, span: 1 }) as const;
  await store.append("c", writer(0), { n: 1, text: "a" }, { streamSeq: "1" });
  await store.renew("c", 5, { running: 3 });
  await store.putInput("c", new Uint8Array([1]));
  const told: string[] = [];
  store.watch("c", noting(told));
  store.watch("gone", noting(told));
  const before = JSON.stringify(await store.list());

  watched.full = true;
  const calls = [
    store.append("c", writer(1), { n: 1, text: "b" }, { streamSeq: "2" }),
    store.claim("c", "q"),
    store.renew("c", 9, { running: 4 }),
    store.requestCancel("c", { by: "admin", ts: 1 }),
    store.setEnd("c", { kind: "done", by: "relay", ts: 1 }),
    store.delete("gone"),
    store.create({ id: "gone", ...SHAPE }),
    store.create({ id: "new", ...SHAPE }),
    store.fork("c", { id: "fork", ...SHAPE }, 1),
  ];
  const list = store.list();
  for (const call of calls) {
    assertEquals((await assertRejects(() => call, StreamError)).code, "overloaded");
  }
  // who only looks is answered, with what is committed
  const expires = /"expires":\d+/g;
  assertEquals(
    JSON.stringify(await list).replaceAll(expires, ""),
    before.replaceAll(expires, ""),
  );
  assertEquals(told, []);

  watched.full = false;
  assertEquals(
    (await store.append("c", writer(1), { n: 1, text: "b" }, { streamSeq: "2" })).next,
    2,
  );
  assertEquals(await store.getInput("c"), new Uint8Array([1]));
  await store.delete("gone");
  assertEquals(told, ["2: b", "gone"]);
});

Deno.test("sqlite commit - calls made while a failed transaction is undone wait for that", async () => {
  await using watched = await Watched.open();
  const { store } = watched;
  await store.create({ id: "c", ...SHAPE });
  watched.full = true;
  const failed = store.append("c", RELAY, { n: 1, text: "lost" });
  let later: Promise<unknown> | undefined;
  await failed.catch(() => {
    watched.full = false;
    later = Promise.all([
      store.append("c", RELAY, { n: 1, text: "a" }),
      store.append("c", RELAY, { n: 1, text: "b" }),
    ]);
  });
  await later;
  assertEquals((await store.read("c", 0, 100)).map(({ text }) => text), ["a", "b"]);
});

Deno.test("sqlite commit - a store that is closed refuses", async () => {
  const watched = await Watched.open();
  const { store } = watched;
  await store.create({ id: "c", ...SHAPE });
  const last = store.append("c", RELAY, { n: 1, text: "a" });
  await watched[Symbol.asyncDispose]();
  assertEquals((await last).next, 1);
  await assertRejects(() => store.append("c", RELAY, { n: 1, text: "b" }), StreamError, "closed");
  await assertRejects(() => store.read("c", 0, 1), StreamError, "closed");
});
