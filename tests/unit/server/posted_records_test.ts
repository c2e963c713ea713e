/** Producers that POST: records, heartbeats, ends. @module */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { onBothTransports } from "./on_both_transports.ts";
import { type Answer, DONE, type TestRelay, token } from "./test_relay.ts";

const NDJSON = "application/x-ndjson";

/** Claims for an instance. */
function claim(relay: TestRelay, id: string, instance: string, more = {}): Promise<Answer> {
  return relay.api("POST", `/v1/channels/${id}/claim`, { instance, ...more });
}

/** Posts records. */
function post(
  relay: TestRelay,
  id: string,
  body: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return relay.api("POST", `/v1/channels/${id}/records`, body, {
    headers: {
      "producer-id": "py",
      "producer-epoch": "1",
      "producer-seq": "0",
      "content-type": "text/plain",
      ...headers,
    },
  });
}

/** Every record of a channel, parsed, and its end. */
async function records(relay: TestRelay, id: string): Promise<unknown[]> {
  const { socket } = await relay.join("consume", id);
  return (await socket.rest()).flatMap((text) =>
    text.startsWith('{"n"') ? text.split("\n").slice(1).map((line) => JSON.parse(line)) : []
  );
}

onBothTransports("records - a claim, text, lines, and the end", async (relay) => {
  const { incarnation } = await relay.channel("c");
  const claimed = await claim(relay, "c", "py");
  assertEquals(claimed.body, { epoch: 1, next: 0, window: 1048576, incarnation });
  const first = await post(relay, "c", "Hé\n\uFEFFllo", {
    "content-type": "text/plain; charset=utf-8",
  });
  assertEquals([first.status, first.body], [200, { next: 1, window: 1048576 }]);
  const lines = [token("a"), { type: "data", payload: 1 }].map((each) => JSON.stringify(each));
  const second = await post(relay, "c", lines.join("\r\n") + "\n", {
    "producer-seq": "1",
    "content-type": NDJSON,
  });
  assertEquals(second.body.next, 3);
  const last = await post(relay, "c", JSON.stringify(DONE), {
    "producer-seq": "3",
    "content-type": NDJSON,
    "producer-close": "done",
  });
  assertEquals([last.body.next, last.body.end.kind, last.body.end.offset], [4, "done", 3]);
  assertEquals(await records(relay, "c"), [
    token("Hé\n\uFEFFllo"),
    token("a"),
    { type: "data", payload: 1 },
    DONE,
  ]);
});

onBothTransports("records - done without a body, or behind the last text", async (relay) => {
  for (const [id, body, n] of [["a", "", 1], ["b", "last words", 2]] as const) {
    await relay.channel(id);
    await claim(relay, id, "py");
    const answer = await post(relay, id, body, { "producer-close": "done" });
    assertEquals([answer.body.next, answer.body.end.kind], [n, "done"]);
    const all = await records(relay, id) as { type: string }[];
    assertEquals(all.map(({ type }) => type), n === 1 ? ["done"] : ["token", "done"]);
  }
});

onBothTransports("records - an error ends, or is for the supervisor to judge", async (relay) => {
  const error = JSON.stringify({ type: "error", code: "oom", message: "Out" });
  const close = { "content-type": NDJSON, "producer-close": "error" };
  await relay.channel("a");
  await claim(relay, "a", "py");
  assertEquals((await post(relay, "a", error, close)).body.end.kind, "error");
  await relay.channel("b", { lease: 60 });
  await claim(relay, "b", "py");
  const { body } = await post(relay, "b", error, close);
  assertEquals([body.next, body.end], [1, undefined]);
  const info = await relay.api("GET", "/v1/channels/b");
  assertEquals([info.body.producer, info.body.next], [false, 1]);
  await relay.api("POST", "/v1/channels/b/lease", { seconds: 0 });
  const { socket } = await relay.join("consume", "b");
  assertEquals(JSON.parse((await socket.rest()).at(-1) ?? "").end.code, "oom");
});

onBothTransports("records - what is sent again is stored once, a gap is refused", async (relay) => {
  await relay.channel("c");
  await claim(relay, "c", "py");
  assertEquals((await post(relay, "c", "a")).body.next, 1);
  assertEquals((await post(relay, "c", "a")).body.next, 1);
  const overlap = `${JSON.stringify(token("a"))}\n${JSON.stringify(token("b"))}`;
  assertEquals((await post(relay, "c", overlap, { "content-type": NDJSON })).body.next, 2);
  const gap = await post(relay, "c", "d", { "producer-seq": "3" });
  assertEquals([gap.status, gap.body.error.code, gap.body.error.details.expected], [
    409,
    "seq_gap",
    2,
  ]);
  const done = { "producer-seq": "2", "producer-close": "done" };
  assertEquals((await post(relay, "c", "", done)).status, 200);
  // the answer was lost: the same once more is answered the same
  const again = await post(relay, "c", "", done);
  assertEquals([again.status, again.body.next, again.body.end.kind], [200, 3, "done"]);
  const more = await post(relay, "c", "more", { "producer-seq": "3" });
  assertEquals([more.status, more.body.error.code], [409, "ended"]);
  assertEquals(await claim(relay, "c", "other").then(({ status }) => status), 409);
});

onBothTransports("records - headers and bodies that are wrong are refused", async (relay) => {
  await relay.channel("c");
  await claim(relay, "c", "py");
  const wrong: [string, Record<string, string>, string][] = [
    ["x", { "producer-id": "" }, "Producer-Id"],
    ["x", { "producer-id": "x".repeat(129) }, "Producer-Id"],
    ["x", { "producer-epoch": "0" }, "Producer-Epoch"],
    ["x", { "producer-epoch": "one" }, "Producer-Epoch"],
    ["x", { "producer-seq": "-1" }, "Producer-Seq"],
    ["x", { "producer-seq": "1e3" }, "Producer-Seq"],
    ["x", { "producer-close": "maybe" }, "Producer-Close"],
    ["x", { "producer-close": "error" }, "expected"],
    ["", { "producer-close": "error" }, "Cannot end with"],
    ["x", { "content-type": "image/png" }, "content type"],
    ["x", { "content-type": NDJSON }, "line 1 of 1"],
    ["{}\n[]", { "content-type": NDJSON }, "line 2 of 2"],
    ["{}\n\n{}", { "content-type": NDJSON }, "line 2 of 3"],
  ];
  for (const [body, headers, word] of wrong) {
    const answer = await post(relay, "c", body, headers);
    assertEquals([answer.status, answer.body.error.code], [400, "bad_request"], word);
    assertStringIncludes(answer.body.error.message, word);
  }
  const large = await post(relay, "c", "x".repeat(2000));
  assertEquals([large.status, large.body.error.code], [413, "too_large"]);
  assertEquals((await relay.api("GET", "/v1/channels/c")).body.next, 0);
}, { maxMessage: 1024 });

onBothTransports(
  "records - a heartbeat that waits is answered by a cancel, or an end",
  async (relay) => {
    for (const what of ["cancel", "end", "neither"]) {
      await relay.channel(what);
      await claim(relay, what, "py");
      const seconds = what === "neither" ? "0.02" : "20";
      const answer = post(relay, what, "", { prefer: `respond-async, wait=${seconds}` });
      const body = what === "end" ? { kind: "error", code: "oom", message: "Out" } : {};
      if (what !== "neither") await relay.api("POST", `/v1/channels/${what}/${what}`, body);
      const told = (await answer).body;
      assertEquals([told.next, told.cancel?.by, told.end?.code], [
        0,
        what === "cancel" ? "admin" : undefined,
        what === "end" ? "oom" : undefined,
      ]);
    }
    // one that is gone, and one that is still there when the relay goes
    await relay.channel("gone");
    await claim(relay, "gone", "py");
    await assertRejects(() =>
      fetch(`${relay.http}/v1/channels/gone/records`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${relay.secret}`,
          "producer-id": "py",
          "producer-epoch": "1",
          "producer-seq": "0",
          prefer: "wait=20",
        },
        signal: AbortSignal.timeout(20),
      })
    );
    const last = post(relay, "gone", "", { prefer: "wait=20" });
    await relay.relay.close();
    await last.catch(() => {});
  },
);

onBothTransports("records - heartbeats tell how things stand", async (relay) => {
  await relay.channel("c");
  await claim(relay, "c", "py");
  await post(relay, "c", "a");
  assertEquals((await post(relay, "c", "", { "producer-seq": "9" })).body.next, 1);
  await relay.api("POST", "/v1/channels/c/cancel", { reason: "enough" });
  assertEquals((await post(relay, "c", "")).body.cancel.reason, "enough");
  assertEquals((await claim(relay, "c", "py")).body.cancel.reason, "enough");
  await relay.api("POST", "/v1/channels/c/end", { kind: "error", code: "oom", message: "Out" });
  assertEquals((await post(relay, "c", "")).body.end.code, "oom");
});

onBothTransports("records - who holds no claim cannot disturb who does", async (relay) => {
  const producer = await relay.producer("c");
  for (const [id, epoch] of [["stranger", "1"], ["stranger", "99"], ["one", "2"]]) {
    const headers = { "producer-id": id, "producer-epoch": epoch };
    for (const body of ["", "text"]) {
      const { status, body: { error } } = await post(relay, "c", body, headers);
      assertEquals(status, 409);
      assert(["conflict", "fenced"].includes(error.code), error.code);
    }
  }
  await producer.put([token("still here")]);
  // a claim does
  assertEquals((await claim(relay, "c", "py")).body.epoch, 2);
  assertEquals((await producer.socket.json()).error.code, "fenced");
  assertEquals((await claim(relay, "c", "one")).body.error.code, "fenced");
});

onBothTransports("records - a silent producer is lost, one that is heard is not", async (relay) => {
  const { socket } = await relay.join("consume", "c");
  await claim(relay, "c", "py");
  await post(relay, "c", "a");
  assertStringIncludes(await socket.next(), '"a"');
  assertEquals((await socket.json()).end.code, "producer_lost");
}, { postTimeout: 0.02, producerGrace: 0.02 });

onBothTransports("records - a supervisor hears of silence and of coming back", async (relay) => {
  const { socket } = await relay.join("supervise", "c");
  await claim(relay, "c", "py");
  assertEquals((await socket.json()).status, { state: "connected", epoch: 1 });
  assertEquals((await socket.json()).status.state, "disconnected");
  await post(relay, "c", "");
  assertEquals((await socket.json()).status.state, "connected");
}, { postTimeout: 0.05 });

onBothTransports("records - one that continues is checked", async (relay) => {
  await relay.channel("c");
  await claim(relay, "c", "py");
  await post(relay, "c", "a");
  const wrong = await claim(relay, "c", "two", { continues: { epoch: 1, count: 5 } });
  assertEquals([wrong.status, wrong.body.error.code], [409, "seq_gap"]);
  const right = await claim(relay, "c", "two", { continues: { epoch: 1, count: 1 } });
  assertEquals([right.body.epoch, right.body.next], [2, 0]);
  assertEquals((await relay.api("GET", "/v1/channels/c")).body.next, 1);
});
