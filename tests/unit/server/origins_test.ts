/** Which pages may use a relay. @module */
import { assert, assertEquals } from "@std/assert";
import { onBothTransports } from "./on_both_transports.ts";
import type { TestRelay } from "./test_relay.ts";

/** Asks for a channel as a page of an origin would. */
function ask(relay: TestRelay, origin: string, method = "GET") {
  return relay.api(method, "/v1/channels", undefined, { headers: { origin } });
}

/** Opens a WebSocket by hand with an Origin or none, sends a message at once and tells what came back. */
async function upgrade(
  relay: TestRelay,
  origin: string | undefined,
  first: string,
  { host = "127.0.0.1", path = "/v2/consume/c" } = {},
): Promise<string> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: relay.relay.port });
  try {
    const encoder = new TextEncoder();
    const payload = encoder.encode(first);
    assert(payload.length < 126);
    await conn.write(encoder.encode(
      `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\n` +
        (origin === undefined ? "" : `Origin: ${origin}\r\n`) +
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
        "Sec-WebSocket-Version: 13\r\n\r\n",
    ));
    await conn.write(new Uint8Array([0x81, 0x80 | payload.length, 0, 0, 0, 0, ...payload]));
    let text = "";
    const buffer = new Uint8Array(4096);
    // v1 tells a refusal by the close alone
    while (!/"(hello|error)"|machine's own names/.test(text)) {
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

/** Asks by hand, under a name that this machine need not have. */
async function answer(relay: TestRelay, host: string, path = "/v1/channels"): Promise<string> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: relay.relay.port });
  const request = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
  await conn.write(new TextEncoder().encode(request));
  // reading it to its end closes it
  return await new Response(conn.readable).text();
}

onBothTransports(
  "origins - without a secret a name that resolves to loopback is not enough",
  async (relay) => {
    const { port } = relay.relay;
    for (const host of ["127.0.0.1", `127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`]) {
      assert((await answer(relay, host)).startsWith("HTTP/1.1 200"), host);
    }
    const hello = (host: string, path?: string) => upgrade(relay, undefined, HELLO, { host, path });
    for (
      const host of [
        `evil.example:${port}`,
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.nip.io",
      ]
    ) {
      for (const path of ["/v1/channels", "/v1/pipe/c", "/health"]) {
        const told = await answer(relay, host, path);
        assert(told.startsWith("HTTP/1.1 403"), told);
        assert(told.includes("expected localhost or 127.0.0.1 in the URL"), told);
      }
      const told = await hello(host);
      assert(told.includes("forbidden") && !told.includes("incarnation"), told);
      const old = await hello(host, "/consume/c");
      assert(old.includes("machine's own names") && !old.includes("incarnation"), old);
    }
    const { body } = await relay.api("GET", "/v1/channels");
    assertEquals(body.channels, []);
    assert((await hello(`localhost:${port}`)).includes("incarnation"));
  },
  { insecure: true },
);

onBothTransports(
  "origins - without a secret the name of an allowed origin is one, too",
  async (relay) => {
    assert((await answer(relay, "chat.example:8443")).startsWith("HTTP/1.1 200"));
    assert((await answer(relay, "chat.example")).startsWith("HTTP/1.1 403"));
    assert((await answer(relay, "localhost")).startsWith("HTTP/1.1 200"));
  },
  { insecure: true, allowedOrigins: ["https://chat.example:8443"] },
);

onBothTransports("origins - with a secret any name will do", async (relay) => {
  assert((await answer(relay, "relay.example")).startsWith("HTTP/1.1 401"));
});
