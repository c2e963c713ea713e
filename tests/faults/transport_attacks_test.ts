/**
 * Attacks on the transport that listens where strangers connect: after each of them the relay lives, in
 * bounded memory, and somebody else's stream was not disturbed.
 *
 * `FAULTS_FLOOD` says how many MiB an attack sends (1,024 by default).
 *
 * @module
 */
import { assertEquals, assertLess } from "@std/assert";
import { delay } from "@std/async/delay";
import { ControlClient, RelayConsumer, RelayProducer } from "../../client/mod.ts";
import { until } from "../tools/until.ts";
import { check, type History } from "./history.ts";
import { handshake, OPCODE, RawClient, rawFrame } from "./raw_client.ts";
import { RelayProcess } from "./relay_process.ts";

const MIB = 1024 * 1024;
const FLOOD = Number(Deno.env.get("FAULTS_FLOOD") ?? 1024) * MIB;

/** How many of each kind of reader never read. */
const DEAF = 10;

/** What a reader may cost: the 1 MiB that is queued for it, and what was just read for it. */
const READER = 2 * MIB;

/** What V8 may leave uncollected meanwhile. */
const ROOM = 128 * MIB;

/**
 * What the relay may grow by in all of the attacks together, beside its readers: nearly all of it is
 * what V8 leaves uncollected at such a pace, and it grows no further however much more is sent.
 */
const BOUND = 320 * MIB;

/** What an attack has to work with. */
interface Target {
  port: number;
  secret: string;
  /** A channel that holds more than a reader's queue. */
  full: string;
}

const CHUNK = new Uint8Array(65_536).fill(120);
const repeat = (frame: Uint8Array, times: number) => {
  const many = new Uint8Array(frame.length * times);
  for (let at = 0; at < many.length; at += frame.length) many.set(frame, at);
  return many;
};

/** Sends a first fragment, then others without end, until the relay hangs up. */
async function fragments(port: number, opcode: number, payload: Uint8Array): Promise<void> {
  const client = await RawClient.upgrade(port, "/v2/produce/c");
  await client.write(rawFrame(payload, { opcode, more: true }));
  const frame = rawFrame(payload, { opcode: OPCODE.continued, more: true });
  await client.flood(repeat(frame, Math.ceil(65_536 / frame.length)), FLOOD);
  await client.hungUp();
  client.close();
}

/** Begins a session, and then sends something. */
async function inSession(
  { port, secret }: Target,
  path: string,
  hello: object,
  ...messages: (string | Uint8Array)[]
): Promise<void> {
  const client = await RawClient.upgrade(port, path);
  await client.write(rawFrame(JSON.stringify({ hello: { v: 2, auth: secret, ...hello } })));
  await client.read();
  for (const message of messages) {
    await client.write(typeof message === "string" ? rawFrame(message) : message);
  }
  await client.hungUp();
  client.close();
}

/** Joins as readers who never read, and says what lets them go. */
async function deafReaders({ port, secret, full }: Target): Promise<() => void> {
  const hello = JSON.stringify({ hello: { v: 2, auth: secret } });
  const clients: RawClient[] = [];
  for (let i = 0; i < DEAF; i++) {
    const v2 = await RawClient.upgrade(port, `/v2/consume/${full}`);
    await v2.write(rawFrame(hello));
    const v1 = await RawClient.upgrade(port, `/consume/${full}`);
    await v1.write(rawFrame(JSON.stringify({ type: "auth", secret })));
    const pipe = await RawClient.connect(port);
    await pipe.write(
      `GET /v1/pipe/${full} HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer ${secret}\r\n\r\n`,
    );
    clients.push(v2, v1, pipe);
  }
  return () => clients.forEach((client) => client.close());
}

const ATTACKS: Record<string, (target: Target) => Promise<void>> = {
  "a text in fragments": ({ port }) => fragments(port, OPCODE.text, CHUNK),
  "binary in fragments": ({ port }) => fragments(port, OPCODE.binary, CHUNK),
  "fragments of one byte": ({ port }) => fragments(port, OPCODE.text, CHUNK.subarray(0, 1)),
  "empty fragments, and a goodbye never": async ({ port }) => {
    const client = await RawClient.upgrade(port, "/v2/produce/c");
    await client.write(rawFrame("", { more: true }));
    const frame = rawFrame("", { opcode: OPCODE.continued, more: true });
    await client.flood(repeat(frame, 10_000), FLOOD / 16);
    client.close();
  },
  "one frame that claims a TiB": async ({ port }) => {
    const client = await RawClient.upgrade(port, "/v2/produce/c");
    await client.write(rawFrame(CHUNK, { claims: 2 ** 40 }));
    await client.flood(CHUNK, FLOOD);
    await client.hungUp();
    client.close();
  },
  "many messages before the first is looked at": async ({ port }) => {
    const client = await RawClient.upgrade(port, "/v2/produce/c");
    await client.flood(rawFrame(CHUNK), FLOOD);
    await client.hungUp();
    client.close();
  },
  "pings, and the answers never read": async ({ port }) => {
    const client = await RawClient.upgrade(port, "/v2/produce/c");
    const pings = repeat(rawFrame(CHUNK.subarray(0, 125), { opcode: OPCODE.ping }), 500);
    const timer = setTimeout(() => client.close(), 10_000);
    await client.flood(pings, FLOOD);
    clearTimeout(timer);
    client.close();
  },
  "a body without end": async ({ port, secret }) => {
    const client = await RawClient.connect(port);
    await client.write(
      "POST /v1/channels HTTP/1.1\r\nHost: relay\r\nTransfer-Encoding: chunked\r\n" +
        `Authorization: Bearer ${secret}\r\n\r\n`,
    );
    const chunk = new Uint8Array([...new TextEncoder().encode("10000\r\n"), ...CHUNK, 13, 10]);
    const timer = setTimeout(() => client.close(), 10_000);
    await client.flood(chunk, FLOOD);
    clearTimeout(timer);
    client.close();
  },
  "bad UTF-8": async (target) => {
    const bad = new Uint8Array([0xc3, 0x28, 0xff]);
    await inSession(target, "/v2/produce/bad", { instance: "p" }, rawFrame(bad));
    const client = await RawClient.upgrade(target.port, "/v2/consume/c");
    await client.write(rawFrame(bad));
    await client.hungUp();
    client.close();
  },
  "frames that are none": async ({ port }) => {
    for (
      const bytes of [[0xff, 0xff, 0xff], [0x81, 0x05, 1, 2, 3, 4, 5], [0xf1, 0x80, 0, 0, 0, 0]]
    ) {
      const client = await RawClient.upgrade(port, "/v2/produce/c");
      await client.write(new Uint8Array(bytes));
      await client.hungUp();
      client.close();
    }
    const client = await RawClient.upgrade(port, "/v2/produce/c");
    await client.write(rawFrame(CHUNK.subarray(0, 100), { opcode: OPCODE.close }));
    await client.hungUp();
    client.close();
  },
  "messages that make no sense": async (target) => {
    const messages = [
      "null",
      "[]",
      "1e999",
      "{",
      '"hello"',
      "",
      '{"hello":null}',
      '{"credit":null}',
      '{"credit":{"bytes":-1}}',
      '{"cancel":[]}',
      '{"cancel":{"reason":{"a":1}}}',
      '{"n":1e999,"e":1,"s":0}\n{}',
      '{"n":-1,"e":1,"s":0}\n{}',
      '{"n":1,"e":{},"s":[]}\n{}',
      '{"n":1,"e":1,"s":0,"close":"maybe"}\n{}',
      '{"__proto__":{"hello":1}}',
      '{"status":{"state":null}}',
      '{"lease":{"seconds":"x"}}',
    ];
    for (const [index, message] of messages.entries()) {
      for (const face of ["produce", "consume", "supervise"]) {
        const client = await RawClient.upgrade(target.port, `/v2/${face}/n${index}`);
        await client.write(rawFrame(message));
        await client.hungUp();
        client.close();
        const session = await RawClient.upgrade(target.port, `/v2/${face}/n${index}`);
        const hello = { v: 2, auth: target.secret, instance: "p", lease: 1 };
        await session.write(rawFrame(JSON.stringify({ hello })));
        await session.read();
        await session.write(rawFrame(message));
        await session.write(rawFrame("", { opcode: OPCODE.close }));
        await session.hungUp();
        session.close();
      }
    }
  },
  "handshakes that make no sense": async ({ port }) => {
    const requests = [
      handshake("/v2/produce/c", "["),
      handshake("/v2/produce/c", "a b"),
      handshake("http://[", "relay"),
      handshake("//", "relay"),
      handshake("/v2/produce/%E0%A4%A", "relay"),
      handshake("*", "relay"),
      handshake("/v2/produce/c").replace("13", "99"),
      handshake("/v2/produce/c").replace("dGhlIHNhbXBsZSBub25jZQ==", "x"),
      handshake("/v2/produce/c").replace("websocket", "h2c"),
      "GET / HTTP/1.1\r\nHost: [\r\n\r\n",
      "GET http://[ HTTP/1.1\r\nHost: relay\r\n\r\n",
      "\x16\x03\x01\x02\x00\x01",
      "GET /" + "x".repeat(100_000) + " HTTP/1.1\r\n\r\n",
    ];
    for (const request of requests) {
      const client = await RawClient.connect(port);
      await client.write(request);
      await client.write(rawFrame("{}"));
      await client.read();
      client.close();
    }
  },
  "handshakes that are never finished": async ({ port }) => {
    const clients: RawClient[] = [];
    for (let i = 0; i < 500; i++) {
      const client = await RawClient.connect(port);
      await client.write(handshake("/v2/produce/c").slice(0, 20 + i % 100));
      clients.push(client);
    }
    for (const client of clients) client.close();
    for (let i = 0; i < 200; i++) (await RawClient.upgrade(port, "/v2/produce/c")).close();
  },
};

Deno.test(`transport attacks - ${FLOOD / MIB} MiB each, and nobody notices [ws]`, async (t) => {
  const secret = crypto.randomUUID();
  const folder = await Deno.makeTempDir();
  const options = { transport: "ws" as const, authTimeout: 2 };
  const relay = new RelayProcess({ secret, folder, options });
  await relay.start();
  try {
    const control = new ControlClient({ url: relay.url, token: secret });
    const { id: full } = await control.createChannel();
    const filler = new RelayProducer({ url: relay.url, channel: full, token: secret, key: "" });
    for (let i = 0; i < 16; i++) await filler.token("x".repeat(MIB / 8 - 100));
    for (let i = 0; i < 64; i++) await filler.token("x".repeat(200_000));
    await filler.close();
    const target: Target = { port: relay.port, secret, full };
    const bystander = await begin(relay.url, secret);
    const { now: alone } = await relay.memory();
    const release = await deafReaders(target);
    const { consumers } = await until(
      "every reader is there",
      async () => (await control.info(full)).consumers === 3 * DEAF && await control.info(full),
    );
    const { most: before } = await relay.memory();
    console.log(`${consumers} deaf readers: it grew by ${Math.round((before - alone) / MIB)} MiB`);
    assertLess(before - alone, ROOM + consumers * READER);
    for (const [name, attack] of Object.entries(ATTACKS)) {
      await t.step(name, async () => {
        await attack(target);
        const health = await fetch(`${relay.url.replace("ws", "http")}/health`);
        assertEquals((await health.json()).status, "healthy");
        const { most } = await relay.memory();
        console.log(`${name}: the relay grew by ${Math.round((most - before) / MIB)} MiB so far`);
        assertLess(most - before, BOUND);
      });
    }
    assertEquals(check([await bystander.end()]).complaints, []);
    release();
  } finally {
    await relay.stop();
    await Deno.remove(folder, { recursive: true });
  }
});

/** Somebody else's stream, for as long as it takes. */
async function begin(url: string, secret: string): Promise<{ end(): Promise<History> }> {
  const address = { url, channel: "bystander", token: secret, key: "", retry: { giveUpAfter: 0 } };
  const history: History = { stream: 0, written: 0, intent: "done", read: [] };
  const producer = new RelayProducer(address);
  await producer.connect();
  const stream = new RelayConsumer(address).stream();
  const reading = (async () => {
    for await (const token of stream) history.read.push(Number(token));
    history.result = await stream.result;
  })();
  let over = false;
  const writing = (async () => {
    while (!over) {
      await producer.token(String(history.written++));
      await delay(2);
    }
    await producer.done();
  })();
  return {
    async end() {
      over = true;
      await writing;
      await reading;
      return history;
    },
  };
}
