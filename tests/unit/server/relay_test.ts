/** The relay as a whole: options, stopping, expiry, logs, attacks, leaks. @module */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  jsonLogger,
  MemoryStore,
  mintToken,
  type RelayOptions,
  serveRelay,
} from "../../../server/mod.ts";
import { StreamError } from "../../../stream/mod.ts";
import { until } from "../../tools/until.ts";
import { onBothTransports } from "./on_both_transports.ts";
import { DONE, TestRelay, token } from "./test_relay.ts";

Deno.test("relay - options that are unsafe or make no sense are refused", async () => {
  const wrong: [RelayOptions, string][] = [
    [{}, "without a secret"],
    [{ secret: "" }, "without a secret"],
    [{ insecure: true, hostname: "0.0.0.0" }, "loopback"],
    [{ insecure: true, hostname: "192.168.1.1" }, "loopback"],
    [{ insecure: true, hostname: "localhost.example" }, "loopback"],
    [{ secret: "s", cert: "x" }, "certificate"],
    [{ secret: "s", key: "x" }, "certificate"],
  ];
  for (const [options, word] of wrong) {
    const error = await assertRejects(() => serveRelay({ port: 0, ...options }), StreamError);
    assertEquals(error.code, "bad_request");
    assertStringIncludes(error.message, word);
  }
});

for (const transport of ["deno", "ws"] as const) {
  Deno.test(`relay - a taken port is named, and nothing is left behind [${transport}]`, async () => {
    await using first = await serveRelay({ port: 0, secret: "s", transport });
    const error = await assertRejects(
      () => serveRelay({ port: first.port, secret: "s", transport, idleExit: 60 }),
      StreamError,
    );
    assertEquals(error.code, "conflict");
    assertStringIncludes(error.message, String(first.port));
  });

  Deno.test(`relay - a certificate that is none is refused in words [${transport}]`, async () => {
    const error = await assertRejects(
      () => serveRelay({ port: 0, secret: "s", transport, cert: "no", key: "no" }),
      StreamError,
    );
    assertEquals(error.code, "bad_request");
  });

  Deno.test(`relay - an idle one ends by itself [${transport}]`, async () => {
    const relay = await serveRelay({ port: 0, secret: "s", transport, idleExit: 0.02 });
    await relay.finished;
    await assertRejects(() => fetch(relay.url.replace("ws", "http")));
  });

  Deno.test(`relay - a connection or a lease keeps it from ending [${transport}]`, async () => {
    const relay = await TestRelay.start({ transport, idleExit: 0.5 });
    let over = false;
    const finished = relay.relay.finished.then(() => over = true);
    const { socket } = await relay.join("consume", "c");
    const producer = await relay.producer("c");
    // one that nobody uses comes and goes meanwhile
    await (await serveRelay({ port: 0, secret: "s", transport, idleExit: 0.6 })).finished;
    assertEquals(over, false);
    await producer.put([DONE], "done");
    await socket.rest();
    await finished;
    await relay.stop();
  });

  Deno.test(`relay - a signal ends it, also one that was given before [${transport}]`, async () => {
    const stop = new AbortController();
    const relay = await serveRelay({ port: 0, secret: "s", transport, signal: stop.signal });
    stop.abort();
    await relay.finished;
    const late = await serveRelay({ port: 0, secret: "s", transport, signal: stop.signal });
    await late.finished;
    await Promise.all([late.close(), late.close()]);
  });
}

onBothTransports("relay - closing leaves no clock behind", async (relay) => {
  // a producer that is away, a lease, a supervisor that is gone, a producer that posts
  const away = await relay.producer("a");
  const { socket } = await relay.join("supervise", "b", { onDisconnect: { running: 3600 } });
  await relay.producer("b");
  await relay.api("POST", "/v1/channels/a/lease", { seconds: 3600 });
  await away.socket.close();
  await socket.close();
  await relay.channel("http");
  await relay.api("POST", "/v1/channels/http/claim", { instance: "py" });
  await relay.relay.close();
  assertEquals(relay.relay.activeChannels, 0);
});

onBothTransports("relay - a failing store closes connections, not the process", async (relay) => {
  const producer = await relay.producer("c");
  producer.send([token("boom")]);
  const { error } = await producer.socket.json();
  assertEquals(error.code, "internal");
  assert(!error.message.includes("secret detail"));
  assertEquals(await producer.socket.code(), 4599);
  const v1 = await relay.v1("produce", "d");
  v1.send("boom");
  assertEquals(await v1.code(), 1011);
  const { status, body } = await relay.api("POST", "/v1/channels/c/status", { state: "x" });
  assertEquals([status, body.error.code], [500, "internal"]);
  assert(!JSON.stringify(body).includes("secret detail"));
  assertEquals((await relay.api("GET", "/health")).status, 200);
  assert(relay.lines.some(({ level }) => level === "error"));
}, {
  store: new class extends MemoryStore {
    override append(): never {
      throw new TypeError("secret detail");
    }
    override appendNow(): never {
      throw new TypeError("secret detail");
    }
    override async close(): Promise<void> {}
  }(),
});

onBothTransports("relay - what nobody is connected to expires", async (relay) => {
  const { tokens } = await relay.channel("forgotten");
  await relay.channel("short", { ttl: 0 });
  await relay.channel("leased", { lease: 60 });
  // kept by its connection, although its time is over
  const { socket } = await relay.join("consume", "watched");
  await until("it is swept", () => {
    return relay.lines.some(({ message }) => message === "Channel expired");
  }, { every: 5 });
  await until("the forgotten one is gone", async () => {
    return (await relay.api("GET", "/v1/channels/forgotten")).status === 404;
  }, { every: 5 });
  const { body } = await relay.api("GET", "/v1/channels");
  assertEquals(body.channels.map(({ id }: { id: string }) => id), ["leased", "watched"]);
  const late = await relay.v2("consume", "forgotten", { auth: tokens.consume });
  assertEquals((await late.json()).error.code, "expired");
  const producer = await relay.producer("watched");
  await producer.put([token("still here")]);
  assertStringIncludes(await socket.next(), "still here");
}, { channelTimeout: 0.05, sweepInterval: 0.01 });

onBothTransports("relay - expiry counts on access, before any sweep", async (relay) => {
  const { tokens } = await relay.channel("c", { ttl: 0 });
  assertEquals((await relay.api("GET", "/v1/channels/c")).status, 404);
  const { status } = await relay.api("GET", "/v1/channels/c", undefined, { auth: tokens.consume });
  assertEquals(status, 410);
});

onBothTransports("relay - after its retention an ended channel is gone", async (relay) => {
  const { tokens } = await relay.channel("c");
  const producer = await relay.producer("c");
  await producer.put([token("a"), DONE], "done");
  await producer.socket.code();
  await until("it is gone", async () => {
    return (await relay.api("GET", "/v1/channels/c")).status === 404;
  }, { every: 5 });
  const late = await relay.v2("consume", "c", { auth: tokens.consume });
  assertEquals(await late.code(), 4502);
}, { retention: 0.02 });

for (const transport of ["deno", "ws"] as const) {
  Deno.test(`relay - no secret and no token in any line of the log [${transport}]`, async () => {
    const secret = "hunter2 is the root secret";
    const lines: string[] = [];
    const log = jsonLogger({
      level: "debug",
      secrets: [secret],
      write: (line) => lines.push(line),
    });
    const relay = await TestRelay.start({ transport, secret, log });
    try {
      const wrong = "not-the-secret-but-private";
      await relay.channel("c").catch(() => {});
      const made = await relay.api("POST", "/v1/channels", { id: "d" }, { auth: secret });
      const forged = await mintToken("other", { channel: "d", roles: ["admin"] });
      for (const auth of [secret, wrong, made.body.tokens.consume, forged]) {
        await (await relay.v1("consume", "d", auth)).close();
        await (await relay.socket(`/consume/d?secret=${encodeURIComponent(auth)}`)).close();
        await (await relay.v2("consume", "d", { auth })).close();
        await (await relay.v2("produce", "d", { auth, instance: "i" })).close();
        await relay.api("GET", "/v1/channels/d", undefined, { auth });
        await relay.api("PUT", "/v1/pipe/d", "the prompt", { auth });
        await relay.api("GET", `/v1/nothing?token=${encodeURIComponent(auth)}`, undefined, {
          auth,
        });
      }
    } finally {
      await relay.stop();
    }
    const all = lines.join("\n");
    assert(lines.length > 10, all);
    for (const line of lines) JSON.parse(line);
    for (const private_ of ["hunter2", "not-the-secret", "eyJ", "the prompt"]) {
      assert(!all.includes(private_), private_);
    }
  });
}

Deno.test("relay - the logger hides secrets wherever they stand", () => {
  const lines: string[] = [];
  const log = jsonLogger({ secrets: ["hunter2"], write: (line) => lines.push(line) });
  const jwt = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlcyI6W119.abc-_123";
  log("info", `token ${jwt} of hunter2`, {
    secret: "a",
    nested: { authorization: "b", list: [`x hunter2`, jwt] },
    url: "ws://h/consume/c?secret=c&x=1",
    kept: "d",
  });
  log("debug", "not written");
  assertEquals(lines.length, 1);
  const { message, secret, nested, url, kept } = JSON.parse(lines[0]);
  assertEquals({ message, secret, nested, url, kept }, {
    message: "token [redacted] of [redacted]",
    secret: "[redacted]",
    nested: { authorization: "[redacted]", list: ["x [redacted]", "[redacted]"] },
    url: "ws://h/consume/c?secret=[redacted]&x=1",
    kept: "d",
  });
});

Deno.test("relay - an endless fragmented message is refused, and the relay lives [ws]", async () => {
  const relay = await TestRelay.start({ transport: "ws" });
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: relay.relay.port });
  try {
    await conn.write(new TextEncoder().encode(
      "GET /v2/produce/c HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    ));
    const buffer = new Uint8Array(4096);
    await conn.read(buffer);
    // 256 fragments of 64 KiB: text, never final
    const fragment = new Uint8Array(65_536 + 14).fill(120);
    fragment.set([0x01, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    let written = 0;
    try {
      for (; written < 256; written++) {
        for (let at = 0; at < fragment.length;) at += await conn.write(fragment.subarray(at));
        fragment[0] = 0x00;
      }
    } catch {
      // the relay hung up
    }
    const seen: number[] = [];
    for (let n: number | null; (n = await conn.read(buffer).catch(() => null)) !== null;) {
      seen.push(...buffer.subarray(0, n));
    }
    // a close frame with 1009, unless the reset overtook it
    if (seen.length > 0) assertEquals([seen[0], (seen[2] << 8) + seen[3]], [0x88, 1009]);
    else assert(written < 256, "taken whole");
    assertEquals((await relay.api("GET", "/health")).status, 200);
    await (await relay.producer("c")).put([token("alive")]);
  } finally {
    conn.close();
    await relay.stop();
  }
});

onBothTransports(
  "relay - a handshake that is none gets a 4xx, and the relay lives",
  async (relay) => {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: relay.relay.port });
    await conn.write(new TextEncoder().encode(
      "GET /v2/produce/c HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    ));
    const buffer = new Uint8Array(4096);
    const n = await conn.read(buffer) ?? 0;
    conn.close();
    assertStringIncludes(new TextDecoder().decode(buffer.subarray(0, n)), "HTTP/1.1 4");
    assertEquals((await relay.api("GET", "/health")).status, 200);
  },
);

onBothTransports("relay - 200 channels used and closed leave nothing", async (relay) => {
  const use = async (index: number) => {
    const id = `c${index}`;
    const consumer = await relay.v2("consume", id);
    const supervisor = index % 4 === 0 ? await relay.v2("supervise", id) : undefined;
    await consumer.next();
    const producer = await relay.producer(id);
    await producer.put([token("a"), DONE], "done");
    await Promise.all([consumer.rest(), supervisor?.rest(), producer.socket.rest()]);
  };
  for (let at = 0; at < 200; at += 20) {
    await Promise.all(Array.from({ length: 20 }, (_, index) => use(at + index)));
  }
  assertEquals(relay.relay.activeChannels, 0);
  const { body } = await relay.api("GET", "/v1/channels");
  assertEquals(body.channels.length, 200);
  assert(body.channels.every(({ end }: { end?: { kind: string } }) => end?.kind === "done"));
});
