/** A relay whose store takes nothing for a while, as on a disk that is full. @module */
import { assertEquals } from "@std/assert";
import { MemoryStore, type Store } from "../../../server/mod.ts";
import { StreamError } from "../../../stream/mod.ts";
import { until } from "../../tools/until.ts";
import { TestRelay, token } from "./test_relay.ts";

type Method = "append" | "setEnd" | "requestCancel";

/** A store that refuses these calls until it is told otherwise; it counts what it refused. */
function fullStore(...methods: Method[]): { store: Store; refused: () => number; free(): void } {
  const store = new MemoryStore();
  let full = true;
  let refused = 0;
  for (const method of methods) {
    const call = store[method].bind(store) as (...given: unknown[]) => Promise<unknown>;
    Object.assign(store, {
      [method]: (...given: unknown[]) => {
        if (!full) return call(...given);
        refused++;
        return Promise.reject(new StreamError("overloaded", "Cannot store: the disk is full"));
      },
    });
  }
  // what takes no time is asked first, and refuses nothing
  if (methods.includes("append")) Object.assign(store, { appendNow: undefined });
  return { store, refused: () => refused, free: () => void (full = false) };
}

async function withFull(
  methods: Method[],
  options: { producerGrace?: number },
  body: (relay: TestRelay, store: ReturnType<typeof fullStore>) => Promise<void>,
): Promise<void> {
  const store = fullStore(...methods);
  const relay = await TestRelay.start({ ...options, store: store.store });
  try {
    await body(relay, store);
  } finally {
    await relay.stop();
  }
}

Deno.test("full store - the end of a producer that is lost is set once there is room", () =>
  withFull(["setEnd"], { producerGrace: 0 }, async (relay, { refused, free }) => {
    const { socket } = await relay.join("consume", "c");
    const producer = await relay.producer("c");
    await producer.put([token("a")]);
    await producer.socket.close();
    await until("it was tried again", () => refused() > 1);
    free();
    await socket.next();
    const { end } = await socket.json();
    assertEquals([end.code, end.by], ["producer_lost", "relay"]);
  }));

Deno.test("full store - the cancel of an abandoned job is stored once there is room", () =>
  withFull(["requestCancel"], {}, async (relay, { refused, free }) => {
    const { socket } = await relay.join("supervise", "c", { onDisconnect: { running: 0 } });
    const producer = await relay.producer("c");
    await socket.json();
    await socket.close();
    await until("it was tried again", () => refused() > 1);
    free();
    assertEquals((await producer.socket.json()).cancel.by, "relay");
  }));

Deno.test("full store - who closes meanwhile is not waited for", () =>
  withFull(["setEnd"], { producerGrace: 0 }, async (relay, { refused }) => {
    const producer = await relay.producer("c");
    await producer.socket.close();
    await until("it was tried", () => refused() > 0);
  }));

Deno.test("full store - a v1 producer's messages wait, also for its end", () =>
  withFull(["append"], {}, async (relay, { refused, free }) => {
    const consumer = await relay.v1("consume", "c");
    const producer = await relay.v1("produce", "c");
    const messages = Array.from(
      { length: 2000 },
      (_, i) => JSON.stringify({ type: "token", content: `${i}`.padEnd(500, ".") }),
    );
    for (const message of messages) producer.send(message);
    producer.send('{"type":"done"}');
    // it goes, as Python's does, without waiting for anything
    await producer.close();
    await until("it was tried again", () => refused() > 1);
    free();
    assertEquals(await consumer.rest(), [...messages, '{"type":"done"}']);
  }));
