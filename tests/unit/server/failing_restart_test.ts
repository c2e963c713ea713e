/** A failure that nobody has judged when the relay is restarted. @module */
import { assertEquals } from "@std/assert";
import { openSqliteStore } from "../../../server/mod.ts";
import { TestRelay, token } from "./test_relay.ts";

const FAILURE = { type: "error", code: "oom", message: "Out", details: { exitCode: 137 } };

/** Runs `before`, restarts the relay on its data, and runs `after`. */
async function overRestart(
  before: (relay: TestRelay) => Promise<void>,
  after: (relay: TestRelay) => Promise<void>,
): Promise<void> {
  const path = await Deno.makeTempDir();
  try {
    for (const phase of [before, after]) {
      const store = await openSqliteStore({ path, sync: "normal" });
      const relay = await TestRelay.start({ store, producerGrace: 0, leaseGrace: 0 });
      try {
        await phase(relay);
      } finally {
        await relay.stop();
      }
    }
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}

/** A job that failed while its supervisor was there, which then went. */
async function failed(relay: TestRelay, lease: number): Promise<void> {
  const { socket } = await relay.join("supervise", "c", {
    lease,
    onDisconnect: { running: "keep" },
  });
  const producer = await relay.producer("c");
  await producer.put([token("a"), FAILURE], "error");
  assertEquals(await producer.socket.code(), 1000);
  // what comes after the failure does not hide it
  socket.send({ status: { state: "cleaning up" } });
  const { socket: consumer } = await relay.join("consume", "c", { from: 2 });
  await consumer.next();
}

Deno.test("restart - a failure that stands in the log is the end, not a loss", () =>
  overRestart((relay) => failed(relay, 0.2), async (relay) => {
    const { socket } = await relay.join("consume", "c", { from: 3 });
    const { end } = await socket.json();
    assertEquals([end.code, end.message, end.details, end.by], [
      "oom",
      "Out",
      { exitCode: 137 },
      "relay",
    ]);
  }));

Deno.test("restart - a supervisor that comes back is told of the failure", () =>
  overRestart((relay) => failed(relay, 600), async (relay) => {
    const { socket } = await relay.join("supervise", "c");
    assertEquals((await socket.json()).status.state, "disconnected");
    const { status } = await socket.json();
    assertEquals([status.state, status.code, status.details], ["failing", "oom", {
      exitCode: 137,
    }]);
  }));

Deno.test("restart - a failure of an attempt before the last one is past", () =>
  overRestart(async (relay) => {
    await failed(relay, 0.2);
    const second = await relay.producer("c", "two");
    await second.put([token("b")]);
  }, async (relay) => {
    const { socket } = await relay.join("consume", "c", { from: 3 });
    const rest = await socket.rest();
    assertEquals(JSON.parse(rest.at(-1)!).end.code, "producer_lost");
  }));
