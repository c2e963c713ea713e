/** The control API about channels: making, looking, ending, cancelling, removing. @module */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { mintToken } from "../../../server/mod.ts";
import { onBothTransports } from "./on_both_transports.ts";
import { DONE, type TestRelay, token } from "./test_relay.ts";

/** Status and code of an answer. */
async function refusal(
  relay: TestRelay,
  ...request: Parameters<TestRelay["api"]>
): Promise<[number, string]> {
  const { status, body } = await relay.api(...request);
  return [status, body.error?.code];
}

onBothTransports("control - a new channel comes with its tokens", async (relay) => {
  const { status, body } = await relay.api("POST", "/v1/channels", {});
  assertEquals(status, 201);
  assert(body.id.length >= 20, "an unguessable name");
  assertEquals(Object.keys(body.tokens), ["produce", "consume", "supervise", "cancel"]);
  const auth = body.tokens.consume;
  const info = await relay.api("GET", `/v1/channels/${body.id}`, undefined, { auth });
  const { incarnation, kind, contentType, keyed, first, next, bytes, claims } = info.body;
  assertEquals(
    { incarnation, kind, contentType, keyed, first, next, bytes, claims },
    {
      incarnation: body.incarnation,
      kind: "exclusive",
      contentType: "application/json",
      keyed: false,
      first: 0,
      next: 0,
      bytes: 0,
      claims: [],
    },
  );
});

onBothTransports("control - what a new channel is to be is kept", async (relay) => {
  await relay.channel("c", {
    ttl: 1000,
    keyed: true,
    maxBytes: 5000,
    lease: 100,
    onDisconnect: { pending: "keep", running: 5 },
  });
  const { body } = await relay.api("GET", "/v1/channels/c");
  assertEquals([body.keyed, body.maxBytes, body.onDisconnect.running], [true, 5000, 5]);
  assert(Math.abs(body.expires - body.created - 1_000_000) < 10_000);
  assert(Math.abs(body.leaseUntil - body.created - 100_000) < 10_000);
  assertEquals([body.producer, body.consumers, body.supervisors], [false, 0, 0]);
  // no more than the relay's own bound
  await relay.channel("d", { maxBytes: 1e12 });
  assertEquals((await relay.api("GET", "/v1/channels/d")).body.maxBytes, 10_000);
}, { maxBuffer: 10_000 });

onBothTransports("control - bodies that are wrong are refused in words", async (relay) => {
  await relay.channel("c");
  const wrong: [string, unknown, string][] = [
    ["/v1/channels", "not JSON", "not JSON"],
    ["/v1/channels", "[]", "expected"],
    ["/v1/channels", { id: "bad id" }, "expected"],
    ["/v1/channels", { ttl: -1 }, "ttl"],
    ["/v1/channels", { unknown: 1 }, "unknown"],
    ["/v1/channels", { onDisconnect: { running: "soon" } }, "onDisconnect"],
    ["/v1/channels/c/claim", {}, "instance"],
    ["/v1/channels/c/claim", { instance: "" }, "instance"],
    ["/v1/channels/c/claim", { instance: "i", continues: 3 }, "continues"],
    ["/v1/channels/c/status", {}, "state"],
    ["/v1/channels/c/lease", {}, "seconds"],
    ["/v1/channels/c/end", {}, "kind"],
    ["/v1/channels/c/end", { kind: "sealed" }, "kind"],
    ["/v1/channels/c/end", { kind: "error", code: "bad luck" }, "code"],
    ["/v1/channels/c/cancel", { reason: 7 }, "reason"],
  ];
  for (const [path, body, word] of wrong) {
    const { status, body: { error } } = await relay.api("POST", path, body);
    assertEquals([status, error.code], [400, "bad_request"], path + JSON.stringify(body));
    assertStringIncludes(error.message, word);
  }
  assertEquals(
    await refusal(relay, "POST", "/v1/channels/c/cancel", { reason: "x".repeat(200_000) }),
    [413, "too_large"],
  );
  assertEquals(await refusal(relay, "POST", "/v1/channels", { id: "c" }), [409, "conflict"]);
});

onBothTransports("control - credentials and roles are checked on every route", async (relay) => {
  const { tokens } = await relay.channel("c");
  const { tokens: others } = await relay.channel("other");
  const routes: [string, string, unknown, string[]][] = [
    ["POST", "", {}, []],
    ["GET", "", undefined, []],
    ["GET", "/c", undefined, ["produce", "consume", "supervise", "cancel"]],
    ["POST", "/c/claim", { instance: "i" }, ["produce"]],
    ["POST", "/c/records", "", ["produce"]],
    ["POST", "/c/status", { state: "queued" }, ["supervise"]],
    ["PUT", "/c/input", "prompt", ["supervise"]],
    ["GET", "/c/input", undefined, ["produce", "supervise"]],
    ["POST", "/c/input", undefined, ["produce", "supervise"]],
    ["POST", "/c/lease", { seconds: 0 }, ["supervise"]],
    ["POST", "/c/cancel", {}, ["supervise", "cancel"]],
    ["POST", "/c/end", { kind: "done" }, ["supervise"]],
    ["DELETE", "/c", undefined, ["supervise"]],
  ];
  const headers = { "producer-id": "i", "producer-epoch": "1", "producer-seq": "0" };
  for (const [method, path, body, allowed] of routes) {
    const ask = (auth: string | null) =>
      refusal(relay, method, `/v1/channels${path}`, body, { auth, headers });
    const where = `${method} ${path}`;
    assertEquals(await ask(null), [401, "unauthorized"], where);
    assertEquals(await ask("wrong"), [401, "unauthorized"], where);
    for (const [role, auth] of Object.entries(tokens)) {
      if (!allowed.includes(role)) assertEquals(await ask(auth), [403, "forbidden"], where + role);
      if (path) assertEquals(await ask(others[role]), [403, "forbidden"], where + role);
    }
    if (path !== "/c" || method !== "DELETE") {
      for (const role of allowed) {
        assertEquals((await ask(tokens[role]))[1], undefined, where + role);
      }
    }
  }
  const { headers: answer } = await relay.api("GET", "/v1/channels", undefined, { auth: null });
  assertEquals(answer.get("www-authenticate"), "Bearer");
});

onBothTransports(
  "control - what is not there is not_found, and nothing makes it",
  async (relay) => {
    for (
      const [method, path, body] of [
        ["GET", "", undefined],
        ["DELETE", "", undefined],
        ["POST", "/claim", { instance: "i" }],
        ["POST", "/end", { kind: "done" }],
        ["GET", "/input", undefined],
      ] as const
    ) {
      assertEquals(
        await refusal(relay, method, `/v1/channels/nowhere${path}`, body),
        [404, "not_found"],
        path,
      );
    }
    assertEquals((await relay.api("GET", "/v1/channels")).body.channels, []);
    assertEquals(await refusal(relay, "GET", "/v1/nothing"), [404, "not_found"]);
    assertEquals(await refusal(relay, "PATCH", "/v1/channels"), [404, "not_found"]);
    assertEquals(await refusal(relay, "GET", "/v1/channels/bad%20id"), [400, "bad_request"]);
    assertEquals(relay.relay.activeChannels, 0);
  },
);

onBothTransports(
  "control - the end is set once and told to whoever comes second",
  async (relay) => {
    await relay.channel("c");
    const verdict = { kind: "error", code: "oom", message: "Out", details: { node: "n1" } };
    const first = await relay.api("POST", "/v1/channels/c/end", verdict);
    assertEquals(first.status, 200);
    assertEquals(first.body.end, { ...verdict, by: "supervisor", ts: first.body.end.ts });
    const second = await relay.api("POST", "/v1/channels/c/end", { kind: "done" });
    assertEquals([second.status, second.body.end], [409, first.body.end]);
    const { body } = await relay.api("GET", "/v1/channels/c");
    assertEquals([body.end.code, body.leaseUntil], ["oom", undefined]);
  },
);

onBothTransports("control - a cancel is recorded once", async (relay) => {
  const { tokens } = await relay.channel("c");
  const first = await relay.api("POST", "/v1/channels/c/cancel", { reason: "enough" }, {
    auth: tokens.cancel,
  });
  assertEquals([first.status, first.body.ack], [200, "recorded"]);
  assertEquals([first.body.cancel.by, first.body.cancel.reason], ["consumer", "enough"]);
  const second = await relay.api("POST", "/v1/channels/c/cancel");
  assertEquals(second.body.cancel, first.body.cancel);
  const lease = await relay.api("POST", "/v1/channels/c/lease", { seconds: 10 });
  assertEquals(lease.body.cancel.reason, "enough");
});

onBothTransports("control - a status is appended, a lease set and given up", async (relay) => {
  const { tokens } = await relay.channel("c");
  const auth = tokens.supervise;
  const status = { state: "queued", position: 3, type: "token", ts: 1 };
  assertEquals((await relay.api("POST", "/v1/channels/c/status", status, { auth })).body.next, 1);
  const { socket } = await relay.join("consume", "c");
  const record = JSON.parse((await socket.next()).split("\n")[1]);
  assertEquals([record.type, record.state, record.position], ["status", "queued", 3]);
  assert(record.ts > 1e12, "stamped by the relay");
  const lease = await relay.api("POST", "/v1/channels/c/lease", { seconds: 100 }, { auth });
  assert(lease.body.leaseUntil > Date.now() + 90_000);
  const given = await relay.api("POST", "/v1/channels/c/lease", { seconds: 0 }, { auth });
  assertEquals(given.body.leaseUntil, 0);
  await relay.api("POST", "/v1/channels/c/end", { kind: "done" }, { auth });
  const late = await refusal(relay, "POST", "/v1/channels/c/status", status, { auth });
  assertEquals(late, [409, "ended"]);
});

onBothTransports("control - the input is kept until the end", async (relay) => {
  const { tokens } = await relay.channel("c");
  const path = "/v1/channels/c/input";
  const supervise = { auth: tokens.supervise };
  assertEquals(await refusal(relay, "GET", path), [404, "not_found"]);
  const bytes = crypto.getRandomValues(new Uint8Array(1000));
  assertEquals((await relay.api("PUT", path, bytes, supervise)).status, 204);
  const response = await fetch(relay.http + path, {
    headers: { authorization: `Bearer ${tokens.produce}` },
  });
  assertEquals(new Uint8Array(await response.arrayBuffer()), bytes);
  assertEquals((await relay.api("PUT", path, "another", supervise)).status, 204);
  assertEquals((await relay.api("GET", path, undefined, supervise)).body, "another");
  await relay.api("POST", "/v1/channels/c/end", { kind: "done" });
  assertEquals(await refusal(relay, "GET", path), [409, "ended"]);
  assertEquals(await refusal(relay, "PUT", path, "late"), [409, "ended"]);
});

onBothTransports("control - an input of 16 MiB is taken, one byte more is not", async (relay) => {
  await relay.channel("c");
  const most = 16 * 1024 * 1024;
  const path = "/v1/channels/c/input";
  assertEquals((await relay.api("PUT", path, new Uint8Array(most).fill(97))).status, 204);
  assertEquals((await relay.api("GET", path)).body.length, most);
  assertEquals(await refusal(relay, "PUT", path, new Uint8Array(most + 1)), [413, "too_large"]);
  assertEquals((await relay.api("GET", path)).body.length, most);
});

onBothTransports("control - a create token makes, lists and removes its own", async (relay) => {
  const auth = await mintToken(relay.secret, { prefix: "ann-", roles: ["create"] });
  await relay.channel("bob-1");
  assertEquals((await relay.api("POST", "/v1/channels", { id: "ann-1" }, { auth })).status, 201);
  const made = await relay.api("POST", "/v1/channels", undefined, { auth });
  assert(made.body.id.startsWith("ann-"));
  assertEquals(await refusal(relay, "POST", "/v1/channels", { id: "bob-2" }, { auth }), [
    403,
    "forbidden",
  ]);
  const names = async (query: string, credential = auth) =>
    (await relay.api("GET", `/v1/channels${query}`, undefined, { auth: credential })).body.channels
      ?.map(({ id }: { id: string }) => id);
  assertEquals(await names(""), ["ann-1", made.body.id]);
  assertEquals(await names("?prefix=ann-1"), ["ann-1"]);
  assertEquals(await names("?prefix=a"), ["ann-1", made.body.id]);
  assertEquals(await names("?prefix=bob"), undefined);
  assertEquals(await names("", relay.secret), ["bob-1", "ann-1", made.body.id]);
  assertEquals(await names("?prefix=bob", relay.secret), ["bob-1"]);
  const one = await mintToken(relay.secret, { channel: "ann-1", roles: ["create"] });
  assertEquals(await names("", one), ["ann-1"]);
  assertEquals(await refusal(relay, "DELETE", "/v1/channels/bob-1", undefined, { auth }), [
    403,
    "forbidden",
  ]);
  assertEquals((await relay.api("DELETE", "/v1/channels/ann-1", undefined, { auth })).status, 204);
});

onBothTransports("control - a token holds no more channels than its quota", async (relay) => {
  const auth = await mintToken(relay.secret, { prefix: "ann-", roles: ["create"] });
  const other = await mintToken(relay.secret, { prefix: "bob-", roles: ["create"] });
  const make = (credential: string) =>
    relay.api("POST", "/v1/channels", {}, { auth: credential }).then(({ status }) => status);
  const statuses = await Promise.all([1, 2, 3, 4, 5].map(() => make(auth)));
  assertEquals(statuses.sort(), [201, 201, 413, 413, 413]);
  assertEquals(await make(other), 201);
  const { body } = await relay.api("GET", "/v1/channels?prefix=ann-");
  await relay.api("DELETE", `/v1/channels/${body.channels[0].id}`);
  assertEquals([await make(auth), await make(auth)], [201, 413]);
}, { channelsPerToken: 2 });

onBothTransports(
  "control - info tells who is connected and never a producer's name",
  async (relay) => {
    const producer = await relay.producer("c", "a private instance");
    await producer.put([token("a"), token("b")]);
    await relay.join("consume", "c");
    const { body } = await relay.api("GET", "/v1/channels/c");
    assertEquals(body.claims, [{ epoch: 1, next: 2, fenced: false }]);
    assertEquals([body.producer, body.consumers, body.next], [true, 1, 2]);
    assert(!JSON.stringify(body).includes("private"));
    await producer.put([DONE], "done");
  },
);

onBothTransports("control - an array's channels share one token to write", async (relay) => {
  const { status, body } = await relay.api("POST", "/v1/arrays", {
    tasks: [2, 0],
    keyed: true,
    lease: 100,
  });
  assertEquals(status, 201);
  const [one, two] = body.channels;
  assertEquals([one.id, two.id], [`${body.id}-2`, `${body.id}-0`]);
  assertEquals(one.tokens.produce, two.tokens.produce);
  const auth = one.tokens.produce;
  for (const { id } of body.channels) {
    const claimed = await relay.api("POST", `/v1/channels/${id}/claim`, { instance: "i" }, {
      auth,
    });
    assertEquals([claimed.status, claimed.body.epoch], [200, 1]);
  }
  // neither to read, nor to make another one, nor for a neighbour's
  assertEquals(
    await refusal(relay, "POST", `/v1/channels/${one.id}/cancel`, {}, { auth }),
    [403, "forbidden"],
  );
  assertEquals(
    await refusal(relay, "POST", `/v1/channels/${body.id}-9/claim`, { instance: "i" }, { auth }),
    [404, "not_found"],
  );
  await relay.channel("c");
  assertEquals(
    await refusal(relay, "POST", "/v1/channels/c/claim", { instance: "i" }, { auth }),
    [403, "forbidden"],
  );
});

onBothTransports("control - an array is made whole or not at all", async (relay) => {
  for (const tasks of [[], [1, 1], [-1], [0.5], Array.from({ length: 1001 }, (_, i) => i)]) {
    assertEquals(await refusal(relay, "POST", "/v1/arrays", { tasks }), [400, "bad_request"]);
  }
  const auth = await mintToken(relay.secret, { prefix: "team-", roles: ["create"] });
  assertEquals(
    await refusal(relay, "POST", "/v1/arrays", { tasks: [0, 1, 2] }, { auth }),
    [413, "limit"],
  );
  assertEquals((await relay.api("GET", "/v1/channels")).body.channels, []);
  const { body } = await relay.api("POST", "/v1/arrays", { tasks: [0, 1] }, { auth });
  assert(body.id.startsWith("team-"), body.id);
}, { channelsPerToken: 2 });

onBothTransports("control - a task that isn't a step's first is told so", async (relay) => {
  await relay.channel("c");
  const { status, body } = await relay.api("POST", "/v1/channels/c/claim", { instance: "i" }, {
    auth: "task-3",
  });
  assertEquals([status, body.error.code], [401, "unauthorized"]);
  assertStringIncludes(body.error.message, "task 3 of its job step: only task 0");
});
