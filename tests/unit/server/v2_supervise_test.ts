/** The v2 face of a supervisor: notices, lease, and whose word ends a stream. @module */
import { assert, assertEquals } from "@std/assert";
import { onBothTransports } from "./on_both_transports.ts";
import { DONE, type TestRelay, token } from "./test_relay.ts";

const FAILURE = { type: "error", code: "oom", message: "Out", details: { exitCode: 137 } };

/** The states that stand in a channel's log, and its end. */
async function story(relay: TestRelay, id: string): Promise<string[]> {
  const { socket } = await relay.join("consume", id);
  const states: string[] = [];
  for (;;) {
    const text = await socket.next();
    if (text.startsWith('{"end"')) {
      const { end } = JSON.parse(text);
      return [...states, `${end.kind} ${end.code ?? "-"} by ${end.by}`];
    }
    for (const line of text.split("\n").slice(1)) {
      const { state, type } = JSON.parse(line);
      states.push(state ?? type);
    }
  }
}

onBothTransports("v2 supervise - the producer's coming and going is told", async (relay) => {
  const { socket, hello } = await relay.join("supervise", "c");
  assertEquals([hello.producer, hello.next, hello.sync], [false, 0, "memory"]);
  const producer = await relay.producer("c");
  assertEquals((await socket.json()).status, { state: "connected", epoch: 1 });
  await producer.socket.close();
  assertEquals((await socket.json()).status.state, "disconnected");
  const back = await relay.producer("c");
  assertEquals((await socket.json()).status.state, "connected");
  await back.put([DONE], "done");
  assertEquals((await socket.json()).end.kind, "done");
  assertEquals(await socket.code(), 1000);
  assertEquals(await story(relay, "c"), ["disconnected", "running", "done", "done - by producer"]);
});

onBothTransports("v2 supervise - one that comes later is told how things stand", async (relay) => {
  const producer = await relay.producer("c");
  const first = await relay.join("supervise", "c");
  assertEquals(first.hello.producer, true);
  assertEquals((await first.socket.json()).status.state, "connected");
  await producer.socket.close();
  assertEquals((await first.socket.json()).status.state, "disconnected");
  const second = await relay.join("supervise", "c");
  assertEquals((await second.socket.json()).status.state, "disconnected");
  await relay.api("POST", "/v1/channels/c/end", { kind: "done" });
  assertEquals((await second.socket.json()).end.by, "supervisor");
  const late = await relay.join("supervise", "c");
  assertEquals(late.hello.end.kind, "done");
  assertEquals((await late.socket.json()).end.kind, "done");
  assertEquals(await late.socket.code(), 1000);
});

onBothTransports("v2 supervise - a message that is none is bad_request", async (relay) => {
  for (const message of ["x", "{}", '{"status":{}}', '{"status":{"state":7}}', '{"lease":{}}']) {
    const { socket } = await relay.join("supervise", "c");
    socket.send(message);
    assertEquals((await socket.json()).error.code, "bad_request", message);
    assertEquals(await socket.code(), 4500, message);
  }
});

onBothTransports(
  "v2 supervise - a producer's error is the supervisor's to judge",
  async (relay) => {
    const { socket } = await relay.join("supervise", "c");
    const producer = await relay.producer("c");
    assertEquals((await socket.json()).status.state, "connected");
    await producer.put([token("a"), FAILURE], "error");
    assertEquals((await socket.json()).status, {
      state: "failing",
      code: "oom",
      reason: "Out",
      details: { exitCode: 137 },
    });
    const { body } = await relay.api("GET", "/v1/channels/c");
    assertEquals([body.end, body.next], [undefined, 2]);
    const verdict = { kind: "error", code: "walltime", message: "Out of time" };
    await relay.api("POST", "/v1/channels/c/end", verdict);
    assertEquals((await socket.json()).end.code, "walltime");
    assertEquals(await story(relay, "c"), ["token", "failing", "error walltime by supervisor"]);
  },
);

onBothTransports("v2 supervise - one that comes after a failure hears of it", async (relay) => {
  await relay.channel("c", { lease: 100 });
  const producer = await relay.producer("c");
  await producer.put([token("a"), FAILURE], "error");
  await producer.socket.code();
  for (const _ of ["once", "and again"]) {
    const { socket } = await relay.join("supervise", "c");
    const { status } = await socket.json();
    assertEquals([status.state, status.code, status.details], ["failing", "oom", {
      exitCode: 137,
    }]);
    await socket.close();
  }
  // a job that started over has not failed
  const { socket } = await relay.join("supervise", "c");
  assertEquals((await socket.json()).status.state, "failing");
  await relay.producer("c", "two");
  assertEquals((await socket.json()).status.state, "connected");
  const last = await relay.join("supervise", "c");
  assertEquals((await last.socket.json()).status.state, "connected");
  await relay.api("POST", "/v1/channels/c/cancel", {});
  assert((await last.socket.json()).cancel, "and nothing of the failure");
});

onBothTransports("v2 supervise - without one a producer's error ends at once", async (relay) => {
  const producer = await relay.producer("c");
  await producer.put([FAILURE], "error");
  assertEquals((await producer.socket.json()).end.kind, "error");
  assertEquals(await story(relay, "c"), ["error", "error - by producer"]);
});

onBothTransports("v2 supervise - after lease and grace an error ends at once", async (relay) => {
  const { socket } = await relay.join("supervise", "c");
  // given up
  socket.send({ lease: { seconds: 0 } });
  await socket.close();
  const producer = await relay.producer("c");
  await producer.put([FAILURE], "error");
  assertEquals((await producer.socket.json()).end.kind, "error");
});

onBothTransports(
  "v2 supervise - a failure nobody judged ends when the lease is over",
  async (relay) => {
    const { socket } = await relay.join("supervise", "c", {
      lease: 0.02,
      onDisconnect: { running: "keep" },
    });
    const producer = await relay.producer("c");
    assertEquals((await socket.json()).status.state, "connected");
    await producer.put([token("a"), FAILURE], "error");
    assertEquals(await producer.socket.code(), 1000);
    await socket.close();
    assertEquals(await story(relay, "c"), ["token", "failing", "error oom by relay"]);
  },
  { leaseGrace: 0.02 },
);

onBothTransports(
  "v2 supervise - a failure sent again after the lease still ends",
  async (relay) => {
    const { socket } = await relay.join("supervise", "c");
    const first = await relay.producer("c");
    await first.put([FAILURE], "error");
    assertEquals(await first.socket.code(), 1000);
    socket.send({ lease: { seconds: 0 } });
    // the acknowledgement was lost: the same instance sends it again
    const again = await relay.v2("produce", "c", { instance: "one" });
    const { hello } = await again.json();
    if (!hello.end) again.send(`{"n":1,"e":1,"s":0,"close":"error"}\n${JSON.stringify(FAILURE)}`);
    await again.code();
    assertEquals(await story(relay, "c"), ["failing", "error oom by relay"]);
  },
);

onBothTransports(
  "v2 supervise - a lost producer ends after the lease, not before",
  async (relay) => {
    const { socket } = await relay.join("supervise", "c", {
      lease: 0.05,
      onDisconnect: { running: "keep" },
    });
    const producer = await relay.producer("c");
    await producer.put([token("a")]);
    await producer.socket.close();
    assertEquals((await socket.json()).status.state, "connected");
    assertEquals((await socket.json()).status.state, "disconnected");
    await socket.close();
    const { body } = await relay.api("GET", "/v1/channels/c");
    assertEquals(body.end, undefined);
    assert(body.leaseUntil > body.created);
    assertEquals(await story(relay, "c"), [
      "token",
      "disconnected",
      "error producer_lost by relay",
    ]);
  },
  { producerGrace: 0, leaseGrace: 0.05 },
);

onBothTransports(
  "v2 supervise - onDisconnect cancels a running job after its seconds",
  async (relay) => {
    const { socket } = await relay.join("supervise", "c", { onDisconnect: { running: 0.02 } });
    const producer = await relay.producer("c");
    assertEquals((await socket.json()).status.state, "connected");
    await socket.close();
    const { cancel } = await producer.socket.json();
    assertEquals(cancel.by, "relay");
  },
);

onBothTransports(
  "v2 supervise - a job that starts after its supervisor went has its seconds",
  async (relay) => {
    for (const pending of ["keep", 600] as const) {
      const id = `pending-${pending}`;
      const onDisconnect = { pending, running: 0.02 };
      const { socket } = await relay.join("supervise", id, { onDisconnect });
      await socket.close();
      const producer = await relay.producer(id);
      assertEquals((await producer.socket.json()).cancel.by, "relay");
    }
  },
);

onBothTransports(
  "v2 supervise - one that comes before the job stops that, and keep is keep",
  async (relay) => {
    const left = async (id: string, running: number | "keep") => {
      const { socket } = await relay.join("supervise", id, { onDisconnect: { running } });
      await socket.close();
    };
    await left("kept", "keep");
    const kept = await relay.producer("kept");
    await left("adopted", 0.02);
    const { socket } = await relay.join("supervise", "adopted");
    const adopted = await relay.producer("adopted");
    await left("alone", 0.02);
    const alone = await relay.producer("alone");
    assertEquals((await alone.socket.json()).cancel.by, "relay");
    // the others' time would be over by now
    await kept.put([DONE], "done");
    await adopted.put([DONE], "done");
    for (const id of ["kept", "adopted"]) {
      assertEquals((await relay.api("GET", `/v1/channels/${id}`)).body.cancel, undefined, id);
    }
    await socket.close();
  },
);

onBothTransports("v2 supervise - also with a lease that ends with the socket", async (relay) => {
  const { socket } = await relay.join("supervise", "c", {
    lease: 0,
    onDisconnect: { running: 0.02 },
  });
  const producer = await relay.producer("c");
  assertEquals((await socket.json()).status.state, "connected");
  await socket.close();
  assertEquals((await producer.socket.json()).cancel.by, "relay");
});

onBothTransports(
  "v2 supervise - onDisconnect cancels a pending job where asked to",
  async (relay) => {
    const { socket } = await relay.join("supervise", "c", { onDisconnect: { pending: 0.01 } });
    const other = await relay.join("consume", "c");
    await socket.close();
    // whoever comes next is told; the cancel is stored
    for (;;) {
      const { body } = await relay.api("GET", "/v1/channels/c");
      if (body.cancel) break;
    }
    const producer = await relay.producer("c");
    assertEquals(producer.hello.cancel.by, "relay");
    await other.socket.close();
  },
);

onBothTransports("v2 supervise - another supervisor stops that clock", async (relay) => {
  const { socket } = await relay.join("supervise", "c", { onDisconnect: { running: 3600 } });
  const producer = await relay.producer("c");
  assertEquals((await socket.json()).status.state, "connected");
  await socket.close();
  const second = await relay.join("supervise", "c", { onDisconnect: { running: "keep" } });
  assertEquals((await second.socket.json()).status.state, "connected");
  await second.socket.close();
  await producer.put([DONE], "done");
  // no clock is left: the test's sanitizers would find it
  assertEquals(await story(relay, "c"), ["done", "done - by producer"]);
});

onBothTransports("v2 supervise - a released lease starts nothing", async (relay) => {
  const { socket } = await relay.join("supervise", "c", { onDisconnect: { running: 0 } });
  const producer = await relay.producer("c");
  assertEquals((await socket.json()).status.state, "connected");
  socket.send({ lease: { seconds: 0 } });
  await socket.close();
  const { body } = await relay.api("GET", "/v1/channels/c");
  assertEquals([body.cancel, body.leaseUntil], [undefined, undefined]);
  await producer.put([token("a")]);
});

onBothTransports("v2 supervise - a cancel reaches it", async (relay) => {
  const { socket } = await relay.join("supervise", "c");
  await relay.api("POST", "/v1/channels/c/cancel", { reason: "enough" });
  assertEquals((await socket.json()).cancel.reason, "enough");
  const late = await relay.join("supervise", "c");
  assertEquals(late.hello.cancel.reason, "enough");
});

onBothTransports("v2 supervise - a status on a full channel ends it in words", async (relay) => {
  const { socket } = await relay.join("supervise", "c");
  socket.send({ status: { state: "queued", reason: "x".repeat(200) } });
  const rest = (await socket.rest()).map((text) => JSON.parse(text));
  assert(rest.some(({ end }) => end?.code === "limit"), JSON.stringify(rest));
}, { maxBuffer: 100 });
