/** Which pages may use a relay. @module */
import { assert, assertEquals } from "@std/assert";
import { onBothTransports } from "./on_both_transports.ts";
import type { TestRelay } from "./test_relay.ts";

/** Asks for a channel as a page of an origin would. */
function ask(relay: TestRelay, origin: string, method = "GET") {
  return relay.api(method, "/v1/channels", undefined, { headers: { origin } });
}

/** Opens a WebSocket by hand with an Origin, sends a message at once and tells what came back. */
async function upgrade(relay: TestRelay, origin: string, first: string): Promise<string> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: relay.relay.port });
  try {
    const encoder = new TextEncoder();
    const payload = encoder.encode(first);
    assert(payload.length < 126);
    await conn.write(encoder.encode(
      `GET /v2/consume/c HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nOrigin: ${origin}\r\n` +
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
        "Sec-WebSocket-Version: 13\r\n\r\n",
    ));
    await conn.write(new Uint8Array([0x81, 0x80 | payload.length, 0, 0, 0, 0, ...payload]));
    let text = "";
    const buffer = new Uint8Array(4096);
    while (!/"(hello|error)"/.test(text)) {
      const n = await conn.read(buffer);
      if (n === null) break;
      text += new TextDecoder().decode(buffer.subarray(0, n));
    }
    return text;
  } finally {
    conn.close();
  }
}

const HELLO = '{"hello":{"v":2}}';

onBothTransports("origins - with a credential every page may", async (relay) => {
  const { status, headers } = await ask(relay, "https://chat.example");
  assertEquals([status, headers.get("access-control-allow-origin")], [200, "https://chat.example"]);
  assertEquals(headers.get("vary"), "Origin");
  const refused = await relay.api("GET", "/v1/channels", undefined, {
    auth: "wrong",
    headers: { origin: "https://chat.example" },
  });
  // a page must be able to read why
  assertEquals(refused.headers.get("access-control-allow-origin"), "https://chat.example");
});

onBothTransports("origins - a preflight needs no credential", async (relay) => {
  const { status, headers } = await relay.api("OPTIONS", "/v1/channels/c/records", undefined, {
    auth: null,
    headers: { origin: "https://chat.example" },
  });
  assertEquals([status, headers.get("access-control-allow-origin")], [204, "https://chat.example"]);
  assert(headers.get("access-control-allow-headers")?.includes("Authorization"));
  assert(headers.get("access-control-allow-methods")?.includes("PUT"));
});

onBothTransports("origins - a list of them excludes the others", async (relay) => {
  assertEquals((await ask(relay, "https://chat.example")).status, 200);
  const { status, body, headers } = await ask(relay, "https://evil.example");
  assertEquals([status, body.error.code], [403, "forbidden"]);
  assertEquals(headers.get("access-control-allow-origin"), null);
  const text = await upgrade(relay, "https://evil.example", HELLO);
  assert(text.includes("forbidden") && !text.includes("incarnation"));
  // what is no browser has no origin
  assertEquals((await relay.api("GET", "/v1/channels")).status, 200);
}, { allowedOrigins: ["https://chat.example"] });

onBothTransports("origins - without a secret only pages of loopback may", async (relay) => {
  for (const origin of ["http://localhost:3000", "http://127.0.0.1", "http://[::1]:8080"]) {
    assertEquals((await ask(relay, origin)).status, 200, origin);
  }
  for (const origin of ["https://evil.example", "null", "http://localhost.evil.example"]) {
    assertEquals((await ask(relay, origin)).status, 403, origin);
    const text = await upgrade(relay, origin, HELLO);
    assert(text.includes("forbidden") && !text.includes("incarnation"), text);
  }
  assert((await upgrade(relay, "http://localhost:3000", HELLO)).includes("incarnation"));
  // what was pipelined behind the handshake did nothing
  const { body } = await relay.api("GET", "/v1/channels");
  assertEquals(body.channels.length, 1);
}, { insecure: true });
