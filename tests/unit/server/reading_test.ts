/** Readers that come at any moment, and readers that are slow. @module */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { AuditTrail } from "../../../server/audit.ts";
import { Channels } from "../../../server/channels.ts";
import { routeSocket } from "../../../server/faces/socket_routes.ts";
import type { Peer } from "../../../server/peer.ts";
import { Peers } from "../../../server/peers.ts";
import { Reader, type ReaderSink, StalledReaders } from "../../../server/reader.ts";
import { PEER_QUEUE_BYTES, type RelayContext } from "../../../server/relay_context.ts";
import { MemoryStore, silentLogger, type StoredFrame } from "../../../server/mod.ts";
import { EVERYTHING } from "../../../server/tokens.ts";
import { StreamError } from "../../../stream/mod.ts";
import type { RawSocket } from "../../tools/raw_socket.ts";
import { until } from "../../tools/until.ts";
import { onBothTransports } from "./on_both_transports.ts";
import { DONE, type TestRelay, token } from "./test_relay.ts";

onBothTransports("reading - replay to live neither loses nor doubles", async (relay) => {
  const TOTAL = 3000;
  const producer = await relay.producer("c");
  let written = 0;
  const readers: Promise<void>[] = [];
  const follow = async (from: number) => {
    const { socket } = await relay.join("consume", "c", { from, credit: 1e9 });
    let next = from;
    for (;;) {
      const text = await socket.next();
      if (text.startsWith('{"end"')) break;
      const [header, ...lines] = text.split("\n");
      assertEquals(JSON.parse(header).o, next);
      for (const line of lines) {
        const { type, content } = JSON.parse(line);
        assertEquals([type, content], next === TOTAL ? ["done", undefined] : ["token", `${next}`]);
        next++;
      }
    }
    assertEquals(next, TOTAL + 1);
  };
  while (written < TOTAL) {
    const n = Math.min(1 + Math.floor(Math.random() * 40), TOTAL - written);
    const sent = producer.send(
      Array.from({ length: n }, (_, index) => token(`${written + index}`)),
    );
    if (readers.length < 25) {
      readers.push(follow(Math.floor(Math.random() * (await acknowledged(producer.socket, sent)))));
    }
    written = sent;
  }
  producer.send([DONE], "done");
  assertEquals(readers.length, 25);
  await Promise.all(readers);
});

/** Waits until so many records are stored. */
async function acknowledged(socket: RawSocket, next: number): Promise<number> {
  for (;;) {
    const { ack } = await socket.json();
    assert(ack);
    if (ack.next >= next) return ack.next;
  }
}

onBothTransports(
  "reading - a stuck reader holds up nobody and gets everything later",
  async (relay) => {
    const FRAMES = 60;
    const text = "x".repeat(200_000);
    const producer = await relay.producer("c");
    // it takes nothing: a plain TCP connection that does not read
    const stuck = await rawHandshake(relay, "/v2/consume/c", {
      hello: { v: 2, auth: relay.secret },
    });
    try {
      for (let index = 0; index < FRAMES; index++) await producer.put([token(text + index)]);
      // and then it gets everything
      let received = "";
      const decoder = new TextDecoder();
      const buffer = new Uint8Array(256 * 1024);
      while (!received.includes(`x${FRAMES - 1}"`)) {
        const n = await stuck.read(buffer);
        assert(n !== null, "the relay went on with the reader");
        received = received.slice(-100) + decoder.decode(buffer.subarray(0, n), { stream: true });
      }
    } finally {
      stuck.close();
    }
  },
);

/** Opens a WebSocket by hand and sends one message; nothing is read by itself. */
async function rawHandshake(relay: TestRelay, path: string, first: object): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: relay.relay.port });
  const head = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n` +
    "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
    "Sec-WebSocket-Version: 13\r\n\r\n";
  await conn.write(new TextEncoder().encode(head));
  const buffer = new Uint8Array(4096);
  await conn.read(buffer);
  const payload = new TextEncoder().encode(JSON.stringify(first));
  assert(payload.length < 126);
  // a text frame masked with zeros
  await conn.write(new Uint8Array([0x81, 0x80 | payload.length, 0, 0, 0, 0, ...payload]));
  await conn.read(buffer);
  return conn;
}

for (const path of ["/consume/c", "/v2/consume/c"]) {
  Deno.test(`reading - the queue to a slow reader is bounded (${path})`, async () => {
    const FRAMES = 100;
    const store = new MemoryStore();
    const stalled = new StalledReaders();
    const audit = new AuditTrail(undefined, store);
    const channels = new Channels({
      store,
      stalled,
      log: silentLogger,
      audit,
      producerGrace: 1000,
      leaseGrace: 1000,
      ttl: 60_000,
      retention: 60_000,
      maxBytes: 1e9,
      whenFull: "end",
      channelsPerToken: 10,
      sweepInterval: 60_000,
    });
    const context: RelayContext = {
      channels,
      store,
      secret: "s",
      insecure: true,
      log: silentLogger,
      audit,
      authenticate: () => Promise.resolve(EVERYTHING),
      maxMessage: 256 * 1024,
      window: 1024 * 1024,
      authTimeout: 10_000,
      postTimeout: 10_000,
      refusal: () => undefined,
      peers: new Peers(),
      drain: () => {},
    };
    const sent: string[] = [];
    let most = 0;
    let buffered = 0;
    const peer: Peer = {
      send(text) {
        sent.push(text);
        most = Math.max(most, buffered += text.length);
      },
      get bufferedAmount() {
        return buffered;
      },
      close: () => {},
      terminate: () => {},
    };
    const url = new URL(path, "http://relay");
    routeSocket(context, peer, { url, headers: new Headers(), remote: "" });
    peer.listener?.message(JSON.stringify({ hello: { v: 2 } }));
    await until("it reads", () => channels.live[0]?.connected.consumers === 1, { every: 1 });
    const text = "x".repeat(100_000);
    for (let index = 0; index < FRAMES; index++) {
      await store.append("c", { origin: "relay" }, { n: 1, text: `"${text}${index}"` });
    }
    assertLessOrEqual(most, PEER_QUEUE_BYTES + text.length + 100);
    await until("everything came", () => {
      buffered = 0;
      return sent.at(-1)?.endsWith(`x${FRAMES - 1}"`);
    }, { every: 1 });
    assertLessOrEqual(most, PEER_QUEUE_BYTES + text.length + 100);
    const order = sent.flatMap((each) => each.match(/x(\d+)"$/)?.[1] ?? []);
    assertEquals(order, Array.from({ length: FRAMES }, (_, index) => String(index)));
    peer.listener?.closed(1000, "");
    channels.close(new StreamError("overloaded", "The test is over"));
    stalled.close();
  });
}

Deno.test("reading - what is committed while a reader comes to rest is delivered", async () => {
  const store = new MemoryStore();
  await store.create({ id: "c", ttl: 1e6, retention: 1e6, maxBytes: 1e6 });
  const channel: { id: string; next: number } = { id: "c", next: 0 };
  const got: string[] = [];
  const sink: ReaderSink = {
    room: () => Infinity,
    wakes: () => false,
    frame: ({ text }) => got.push(text),
    gap: () => {},
    ended: () => {},
    failed: (error) => {
      throw error;
    },
    gone: () => {},
  };
  const reader = new Reader(channel, store, sink, 0, new StalledReaders());
  store.watch("c", {
    records(next: number, frame?: StoredFrame) {
      channel.next = next;
      reader.offer(frame);
    },
    ended() {},
    cancelled() {},
    gone() {},
  });
  const resting = reader.pump();
  await Promise.all([
    resting,
    store.append("c", { origin: "relay" }, { n: 1, text: "1" }),
  ]);
  assertEquals(got, ["1"]);
});
