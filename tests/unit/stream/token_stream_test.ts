import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  decodeResumeToken,
  StreamError,
  type StreamEvent,
  TokenStream,
  type TokenStreamSource,
} from "../../../stream/mod.ts";
import { test } from "../../tools/test.ts";

const token = (content: string): StreamEvent => ({ type: "token", content });
const done: StreamEvent = { type: "done", reason: "completed", usage: { total_tokens: 2 } };
const failed: StreamEvent = {
  type: "error",
  code: "oom",
  message: "Out of memory",
  details: { node: "n1" },
};
const restarted: StreamEvent = { type: "status", state: "restarted", attempt: 2 };

function streamOf(...batches: StreamEvent[][]): TokenStream {
  return new TokenStream({
    async *read() {
      let offset = 0;
      for (const events of batches) {
        yield { events, offset };
        offset += events.length;
      }
    },
  });
}

async function collect<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const each of iterable) all.push(each);
  return all;
}

test("TokenStream - iterating yields the text of every token", async () => {
  const stream = streamOf([token("a"), { type: "status", state: "running" }, token("b")], [
    token("c"),
    done,
  ]);
  assertEquals(await collect(stream), ["a", "b", "c"]);
  const result = await stream.result;
  assertEquals(result.reason, "completed");
  assertEquals(result.usage, { total_tokens: 2 });
  assertEquals(result.error, undefined);
});

test("TokenStream - iterating throws for a failing end, after the text", async () => {
  const stream = streamOf([token("a"), failed]);
  const seen: string[] = [];
  const error = await assertRejects(async () => {
    for await (const text of stream) seen.push(text);
  }, StreamError);
  assertEquals(seen, ["a"]);
  assertEquals(error.code, "oom");
  assertEquals(error.details, { node: "n1" });
  assertEquals((await stream.result).reason, "oom");
});

test("TokenStream - events() shows the end as an event and throws nothing", async () => {
  assertEquals((await collect(streamOf([token("a"), failed]).events())).at(-1), failed);
});

test("TokenStream - text() is the last attempt's", async () => {
  assertEquals(await streamOf([token("old"), restarted, token("new"), done]).text(), "new");
});

test("TokenStream - iterating fails with restarted once text was delivered, else goes on", async () => {
  const late = await assertRejects(
    () => collect(streamOf([token("old"), restarted, token("new"), done])),
    StreamError,
  );
  assertEquals(late.code, "restarted");
  assertEquals(await collect(streamOf([restarted, token("new"), done])), ["new"]);
});

test("TokenStream - a second reader is refused by name", async () => {
  const stream = streamOf([done]);
  await stream.text();
  const error = assertThrows(() => stream[Symbol.asyncIterator](), TypeError);
  assertStringIncludes(error.message, "text()");
});

test("TokenStream - onChunk() calls back one after the other", async () => {
  const order: string[] = [];
  const result = await streamOf([token("a"), token("b"), done]).onChunk(async (event) => {
    order.push(`start ${event.type}`);
    await Promise.resolve();
    order.push(`end ${event.type}`);
  });
  assertEquals(order.slice(0, 4), ["start token", "end token", "start token", "end token"]);
  assertEquals(result.reason, "completed");
});

test("TokenStream - onChunk() rejects for a failing end after the callback has seen it", async () => {
  const seen: string[] = [];
  await assertRejects(
    () => streamOf([failed]).onChunk((event) => void seen.push(event.type)),
    StreamError,
  );
  assertEquals(seen, ["error"]);
});

test("TokenStream - toReadableStream() and toResponse() carry the text", async () => {
  assertEquals(await collect(streamOf([token("a"), token("b"), done]).toReadableStream()), [
    "a",
    "b",
  ]);
  const response = streamOf([token("h"), token("é"), done]).toResponse({ status: 201 });
  assertEquals(response.status, 201);
  assertEquals(response.headers.get("content-type"), "text/plain; charset=utf-8");
  assertEquals(await response.text(), "hé");
});

test("TokenStream - toResponse() breaks off when the stream fails", async () => {
  await assertRejects(() => streamOf([token("a"), failed]).toResponse().text());
});

test("TokenStream - result needs a reader, or a source that learns of the end", async () => {
  const stream = new TokenStream({
    async *read() {},
    ended: Promise.resolve({ type: "done", reason: "length" } as const),
  });
  assertEquals((await stream.result).reason, "length");
});

test("TokenStream - drain() tells a failing end and throws nothing", async () => {
  const result = await streamOf([token("a"), failed]).drain();
  assertInstanceOf(result.error, StreamError);
});

test("TokenStream - job gathers what statuses tell", async () => {
  const stream = streamOf([
    { type: "status", state: "queued", jobId: "7" },
    { type: "status", state: "running", node: "n3" },
    done,
  ]);
  await stream.drain();
  assertEquals(stream.job, { state: "running", id: "7", node: "n3" });
});

test("TokenStream - resumeToken stands after what was read", async () => {
  const stream = new TokenStream({
    async *read() {
      yield { events: [token("a"), token("b")], offset: 4 };
      yield { events: [done], offset: 6 };
    },
    channel: () => ({ channel: "c", incarnation: "i" }),
  });
  await stream.drain();
  const point = decodeResumeToken(stream.resumeToken ?? "");
  assertEquals(point, { channel: "c", incarnation: "i", offset: 7 });
});

test("TokenStream - resumeToken is exact within a batch, and within an encrypted record", async () => {
  const session = (next: number) => ({ epoch: 1, next, salt: "A".repeat(43) });
  const places = (first: number) => [
    { offset: first, session: session(1) },
    { offset: first, session: session(1), skip: 1 },
    { offset: first + 1, session: session(2) },
  ];
  const sealed = (skip?: number) => ({
    events: [token("a"), token("b")],
    offset: 4,
    next: 5,
    session: session(2),
    skip,
  });
  const told = async (source: TokenStreamSource) => {
    const stream = new TokenStream({
      channel: () => ({ channel: "c", incarnation: "i" }),
      ...source,
    });
    const found: unknown[] = [];
    const note = () => {
      const { channel: _, incarnation: __, ...place } = decodeResumeToken(stream.resumeToken ?? "");
      found.push(place);
    };
    note();
    const texts: string[] = [];
    for await (const text of stream) {
      texts.push(text);
      note();
    }
    return { texts, found };
  };
  const plain = await told({
    from: { offset: 4 },
    async *read() {
      yield { events: [token("a"), token("b")], offset: 4 };
      yield { events: [done] };
    },
  });
  assertEquals(plain, {
    texts: ["a", "b"],
    found: [{ offset: 4 }, { offset: 5 }, { offset: 6 }],
  });
  const whole = await told({
    from: { offset: 4, session: session(1) },
    async *read() {
      yield sealed();
      yield { events: [done] };
    },
  });
  assertEquals(whole, { texts: ["a", "b"], found: places(4) });
  const rest = await told({
    from: { offset: 4, session: session(1), skip: 1 },
    async *read() {
      yield sealed(1);
      yield { events: [done] };
    },
  });
  assertEquals(rest, { texts: ["b"], found: places(4).slice(1) });
});

test("TokenStream - own cancel() ends iterating quietly", async () => {
  let cancel: (reason?: string) => void = () => {};
  const asked = new Promise<string | undefined>((resolve) => cancel = resolve);
  const stream = new TokenStream({
    async *read() {
      yield { events: [token("a")] };
      const message = await asked ?? "";
      yield { events: [{ type: "error", code: "cancelled", message }] };
    },
    cancel: (reason) => {
      cancel(reason);
      return Promise.resolve("producer");
    },
  });
  const seen: string[] = [];
  for await (const text of stream) {
    seen.push(text);
    assertEquals(await stream.cancel("enough"), "producer");
  }
  assertEquals(seen, ["a"]);
  assertEquals((await stream.result).reason, "cancelled");
});

test("TokenStream - somebody else's cancel throws", async () => {
  const stream = streamOf([{ type: "error", code: "cancelled", message: "By another" }]);
  assertEquals((await assertRejects(() => collect(stream), StreamError)).code, "cancelled");
});

test("TokenStream - cancel() where nothing can be cancelled says so", async () => {
  const error = await assertRejects(() => streamOf([done]).cancel(), StreamError);
  assertEquals(error.code, "unsupported");
});

test("TokenStream - leaving early lets go of the source", async () => {
  let left = false;
  const stream = new TokenStream({
    async *read() {
      try {
        yield { events: [token("a"), token("b")] };
        yield { events: [done] };
      } finally {
        left = true;
      }
    },
  });
  for await (const _ of stream) break;
  assert(left);
});

test("tee - branches of a source that is read once all see everything", async () => {
  const batches = Array.from({ length: 50 }, (_, i) => [token(`${i} `)]);
  const branches = streamOf(...batches, [done]).tee(3, 4);
  const texts = await Promise.all(branches.map((branch) => branch.text()));
  assertEquals(new Set(texts).size, 1);
  assertStringIncludes(texts[0], "49 ");
});

test("tee - the slowest branch holds the others at the bound", async () => {
  let pulled = 0;
  const source = new TokenStream({
    async *read() {
      for (; pulled < 100; pulled++) yield { events: [token("x")] };
      yield { events: [done] };
    },
  });
  const [fast, slow] = source.tee(2, 5);
  const reading = fast.text();
  const slowly = slow[Symbol.asyncIterator]();
  await slowly.next();
  // the fast one can be no further than the bound ahead of what the slow one took
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  assert(pulled <= 10, `pulled ${pulled}`);
  await slowly.return?.();
  assertEquals((await reading).length, 100);
});

test("tee - a failing source fails every branch", async () => {
  const branches = streamOf([token("a"), failed]).tee(2);
  const ends = await Promise.all(branches.map((branch) => branch.drain()));
  assertEquals(ends.map(({ reason }) => reason), ["oom", "oom"]);
});

test("tee - rereadable sources are read once a branch", async () => {
  let reads = 0;
  const stream = new TokenStream({
    rereadable: true,
    async *read() {
      reads++;
      yield { events: [token("a"), done] };
    },
  });
  const texts = await Promise.all(stream.tee(3).map((branch) => branch.text()));
  assertEquals(texts, ["a", "a", "a"]);
  assertEquals(reads, 3);
});
