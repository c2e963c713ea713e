import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { RelaySupervisor } from "../../../client/mod.ts";
import { StreamError } from "../../../stream/mod.ts";
import { test } from "../../tools/test.ts";
import { FakeRelay } from "./fake_relay.ts";

test("supervise - lease, status, notices, end", async () => {
  const relay = new FakeRelay();
  const told: unknown[] = [];
  const supervisor = new RelaySupervisor({
    ...relay.options,
    lease: 600,
    onDisconnect: { running: 60 },
    onStatus: (status) => told.push(status),
    onCancel: (cancel) => told.push(cancel),
    onEnd: (end) => told.push(end),
  });
  supervisor.status({ state: "submitted" });
  const ready = supervisor.connect();
  const connection = await relay.next();
  assertEquals(connection.url, "ws://127.0.0.1:1/v2/supervise/c1");
  const hello = await connection.hello();
  assertEquals(hello, {
    v: 2,
    auth: "t",
    lease: 600,
    onDisconnect: { running: 60 },
  });
  await ready;
  supervisor.status({ state: "queued", position: 3 });
  assertEquals(await connection.control(), { status: { state: "submitted" } });
  assertEquals(await connection.control(), {
    status: { state: "queued", position: 3 },
  });
  supervisor.renew(60);
  assertEquals(await connection.control(), { lease: { seconds: 60 } });
  connection.send({ status: { state: "connected", epoch: 1 } });
  connection.send({ cancel: { by: "admin", ts: 1 } });
  connection.send({ end: { kind: "done", by: "producer", offset: 2, ts: 2 } });
  assertEquals(told, [
    { state: "connected", epoch: 1 },
    { by: "admin", ts: 1 },
    { kind: "done", by: "producer", offset: 2, ts: 2 },
  ]);
  assertEquals(await connection.closed, 1000);
  assertThrows(() => supervisor.status({ state: "late" }), StreamError);
});

test("supervise - comes back, keeps statuses meanwhile and tells a cancel once", async () => {
  const relay = new FakeRelay();
  const cancels: unknown[] = [];
  const supervisor = new RelaySupervisor({
    ...relay.options,
    onCancel: (cancel) => cancels.push(cancel),
  });
  const ready = supervisor.connect();
  const first = await relay.next();
  await first.hello({ cancel: { by: "admin", ts: 1 } });
  await ready;
  first.close(1012);
  supervisor.status({ state: "queued" });
  const second = await relay.next();
  const hello = await second.hello({ cancel: { by: "admin", ts: 1 } });
  assertEquals(hello.incarnation, "i1");
  assertEquals(await second.control(), { status: { state: "queued" } });
  assertEquals(cancels.length, 1);
  supervisor.close();
  assertEquals(await second.closed, 1000);
});

test("supervise - an end that was there before is told", async () => {
  const relay = new FakeRelay();
  const end = { kind: "error", by: "admin", ts: 1 };
  const told = new Promise((resolve) => {
    const supervisor = new RelaySupervisor({ ...relay.options, onEnd: resolve });
    supervisor.connect();
  });
  await (await relay.next()).hello({ end });
  assertEquals(await told, end);
});

test("supervise - a refusal is told to whoever waits", async () => {
  const relay = new FakeRelay();
  let told: StreamError | undefined;
  const supervisor = new RelaySupervisor({
    ...relay.options,
    onFailed: (error) => told = error,
  });
  const ready = supervisor.connect();
  const connection = (await relay.next()).accept();
  connection.refuse("forbidden", 4504, "Not you");
  const error = await assertRejects(() => ready, StreamError, "Not you");
  assertEquals(told, error);
});
