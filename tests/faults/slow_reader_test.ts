/**
 * A consumer that stops reading costs the relay a bounded amount of memory, and gets everything
 * afterwards, or is told what it did not get.
 *
 * `FAULTS_TOKENS` says how many tokens pass meanwhile (100,000 by default; 1,000,000 in
 * `deno task test:faults`), `FAULTS_PAUSE` how many seconds at least it reads nothing (0; 60).
 *
 * @module
 */
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { delay } from "@std/async/delay";
import { ControlClient, RelayConsumer, RelayProducer } from "../../client/mod.ts";
import { serveRelay } from "../../server/mod.ts";
import { StreamError, type StreamEvent } from "../../stream/mod.ts";
import { RelayProcess } from "./relay_process.ts";

const MIB = 1024 * 1024;
const TOKENS = Number(Deno.env.get("FAULTS_TOKENS") ?? 100_000);
const PAUSE = Number(Deno.env.get("FAULTS_PAUSE") ?? 0) * 1000;

/** Bytes of all tokens together, however many: far more than may be held for the reader. */
const BYTES = 256 * MIB;

/**
 * What the relay may grow by: the 1 MiB it queues for a reader and the 256 KiB it reads ahead vanish in
 * what V8 leaves uncollected and SQLite caches at such a pace.
 */
const BOUND = 96 * MIB;

interface Way {
  url: string;
  control: ControlClient;
}

function way(url: string, secret: string): Way {
  return { url, control: new ControlClient({ url, token: secret }) };
}

async function open({ url, control }: Way, more: object = {}) {
  const { id: channel, tokens } = await control.createChannel(more);
  const address = { url, channel, key: "" };
  return {
    id: channel,
    consumer: new RelayConsumer({ ...address, token: tokens.consume }),
    producer: new RelayProducer({ ...address, token: tokens.produce }),
  };
}

function kind({ value }: IteratorResult<StreamEvent, void>): string | undefined {
  return value?.type;
}

/** Writes numbered tokens and `done`. */
async function write(producer: RelayProducer, count: number, length: number): Promise<void> {
  for (let i = 0; i < count; i++) await producer.token(`${i} `.padEnd(length, "x"));
  await producer.done();
}

/** Reads on, and says how many tokens came after so many. */
async function rest(events: AsyncIterator<StreamEvent, void>, from: number): Promise<number> {
  for (let expected = from;;) {
    const { value, done } = await events.next();
    if (done || !value) return expected;
    if (value.type === "token") assertEquals(parseInt(value.content), expected++);
  }
}

Deno.test(`slow reader - ${TOKENS} tokens wait in the store, not in memory`, async () => {
  const folder = await Deno.makeTempDir();
  const secret = crypto.randomUUID();
  const relay = new RelayProcess({ secret, folder });
  await relay.start();
  try {
    const at = way(relay.url, secret);
    const length = Math.round(BYTES / TOKENS);
    // as many bytes as will come, with a reader that keeps up: what any stream costs
    const warm = await open(at);
    const [, read] = await Promise.all([
      write(warm.producer, 2000, length),
      rest(warm.consumer.stream().events()[Symbol.asyncIterator](), 0),
    ]);
    assertEquals(read, 2000);

    const before = await relay.memory();
    const { consumer, producer, id } = await open(at);
    const events = consumer.stream().events()[Symbol.asyncIterator]();
    const first = events.next();
    const paused = delay(PAUSE);
    await write(producer, TOKENS, length);
    assertEquals(kind(await first), "token");
    await paused;
    const { bytes, consumers } = await at.control.info(id);
    assertGreater(bytes, BYTES);
    assertEquals(consumers, 1);
    const { most } = await relay.memory();
    console.log(
      `${TOKENS} tokens, ${Math.round(bytes / MIB)} MiB: the relay grew by ${
        Math.round((most - before.now) / MIB)
      } MiB at most`,
    );
    assertLess(most - before.now, BOUND);

    assertEquals(await rest(events, 1), TOKENS);
    assertLess((await relay.memory()).most - before.now, BOUND);
  } finally {
    await relay.stop();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("slow reader - a full channel in memory ends with limit, after all it took", async () => {
  const secret = crypto.randomUUID();
  await using relay = await serveRelay({ port: 0, secret, maxBuffer: 4 * MIB });
  const at = way(relay.url, secret);
  const { consumer, producer, id } = await open(at);
  const events = consumer.stream().events()[Symbol.asyncIterator]();
  const first = events.next();
  let refused: unknown;
  await write(producer, 100_000, 100).catch((error) => refused = error);
  assert(refused instanceof StreamError);
  assertEquals(refused.code, "limit");
  assertEquals(kind(await first), "token");
  const { bytes, next } = await at.control.info(id);
  assertLess(bytes, 4 * MIB + 1);
  let read = 1;
  let failure: unknown;
  try {
    for (;;) {
      const { value, done } = await events.next();
      if (done || !value) break;
      if (value.type === "token") assertEquals(parseInt(value.content), read++);
      if (value.type === "error") failure = value;
    }
  } catch (error) {
    failure = error;
  }
  assertEquals([read, (failure as StreamError).code], [next, "limit"]);
});

for (const length of [100, 10_000]) {
  Deno.test(`slow reader - drop-oldest leaves a gap, tokens of ${length} bytes`, async () => {
    const secret = crypto.randomUUID();
    await using relay = await serveRelay({ port: 0, secret });
    const at = way(relay.url, secret);
    const count = Math.round(12 * MIB / length);
    const { consumer, producer, id } = await open(at, { maxBytes: MIB, whenFull: "drop-oldest" });
    const events = consumer.stream().events()[Symbol.asyncIterator]();
    const first = events.next();
    await write(producer, count, length);
    assertEquals(kind(await first), "token");
    assertLess((await at.control.info(id)).bytes, MIB + 1);
    let expected = 1;
    let dropped = 0;
    for (;;) {
      const { value, done } = await events.next();
      if (done || !value) break;
      if (value.type === "gap") {
        assertEquals(value.from, expected);
        dropped += value.to - value.from;
        expected = value.to;
      } else if (value.type === "token") assertEquals(parseInt(value.content), expected++);
    }
    assertEquals(expected, count);
    assertGreater(dropped, 0);
  });
}
