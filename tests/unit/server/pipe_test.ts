/** The pipe, with fetch and with curl as people type it. @module */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { RawSocket } from "../../tools/raw_socket.ts";
import { until } from "../../tools/until.ts";
import { onBothTransports } from "./on_both_transports.ts";
import { DONE, type TestRelay, token } from "./test_relay.ts";

/** A body that is written as the test goes on. */
function upload(relay: TestRelay, id: string, query = "", method = "PUT") {
  const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>>();
  const writer = writable.getWriter();
  const abort = new AbortController();
  const response = fetch(`${relay.http}/v1/pipe/${id}${query}`, {
    method,
    headers: { authorization: `Bearer ${relay.secret}` },
    body: readable,
    signal: abort.signal,
  });
  response.catch(() => {});
  return {
    write: (bytes: Uint8Array<ArrayBuffer> | string) =>
      writer.write(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes),
    end: () => writer.close(),
    abort: () => {
      abort.abort();
      writer.abort().catch(() => {});
    },
    response,
  };
}

/** The text of the next frames, until it has so many characters. */
async function text(socket: RawSocket, length: number): Promise<string> {
  let out = "";
  while (out.length < length) {
    for (const line of (await socket.next()).split("\n").slice(1)) {
      out += JSON.parse(line).content ?? "";
    }
  }
  return out;
}

/** Reads a GET's body as it comes. */
function download(response: Response) {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  return {
    until: async (wanted: string) => {
      let out = "";
      while (out.length < wanted.length) {
        const { value, done } = await reader.read();
        assert(!done, `ended after ${out}`);
        out += value;
      }
      assertEquals(out, wanted);
    },
    read: () => reader.read(),
    cancel: () => reader.cancel(),
  };
}

function get(relay: TestRelay, id: string): Promise<Response> {
  return fetch(`${relay.http}/v1/pipe/${id}`, {
    headers: { authorization: `Bearer ${relay.secret}` },
  });
}

onBothTransports("pipe - bytes become tokens as they come, characters whole", async (relay) => {
  const { socket } = await relay.join("consume", "c");
  const put = upload(relay, "c", "?end=eof");
  const bytes = new TextEncoder().encode("né€😀\uFEFF");
  await put.write("first");
  assertEquals(await text(socket, 5), "first");
  for (const byte of bytes) await put.write(new Uint8Array([byte]));
  assertEquals(await text(socket, 6), "né€😀\uFEFF");
  await put.end();
  const { next, end } = await (await put.response).json();
  assertEquals([next > 2, end.kind], [true, "done"]);
  const rest = await socket.rest();
  assertStringIncludes(rest[0], '"done"');
  assertEquals(JSON.parse(rest[1]).end.by, "producer");
});

onBothTransports("pipe - POST does the same, and torn bytes are replaced", async (relay) => {
  const put = upload(relay, "c", "?end=eof", "POST");
  await put.write(new Uint8Array([104, 105, 0xe2, 0x82]));
  await put.end();
  assertEquals((await put.response).status, 200);
  assertEquals(await (await get(relay, "c")).text(), "hi\uFFFD");
});

onBothTransports("pipe - without end=eof its end is a disappearance", async (relay) => {
  const { socket } = await relay.join("consume", "c");
  const { status } = await relay.api("PUT", "/v1/pipe/c", "some text");
  assertEquals(status, 200);
  assertEquals(await text(socket, 9), "some text");
  assertEquals((await socket.json()).end.code, "producer_lost");
}, { producerGrace: 0.02 });

onBothTransports("pipe - an upload that breaks off is no end, also with end=eof", async (relay) => {
  const { socket } = await relay.join("consume", "c");
  const put = upload(relay, "c", "?end=eof");
  await put.write("half an ans");
  assertEquals(await text(socket, 11), "half an ans");
  put.abort();
  assertEquals((await socket.json()).end.code, "producer_lost");
}, { producerGrace: 0.02 });

onBothTransports("pipe - GET prints the text live, and then ends", async (relay) => {
  const producer = await relay.producer("c");
  await producer.put([token("a"), { type: "data", payload: 1 }]);
  const reader = download(await get(relay, "c"));
  await reader.until("a");
  await producer.put([token("b"), token("c")]);
  await reader.until("bc");
  await producer.put([DONE], "done");
  assertEquals((await reader.read()).done, true);
  const { body } = await relay.api("GET", "/v1/channels/c");
  assertEquals([body.consumers, body.producer], [0, false]);
});

onBothTransports("pipe - GET breaks off when the stream fails", async (relay) => {
  const producer = await relay.producer("c");
  await producer.put([token("a")]);
  const reader = download(await get(relay, "c"));
  await reader.until("a");
  await relay.api("POST", "/v1/channels/c/end", { kind: "error", code: "oom", message: "Out" });
  await assertRejects(() => reader.read());
});

onBothTransports("pipe - a GET that leaves is forgotten", async (relay) => {
  const producer = await relay.producer("c");
  await producer.put([token("a")]);
  const reader = download(await get(relay, "c"));
  await reader.until("a");
  await reader.cancel();
  await until("it left", async () => {
    await producer.put([token("b")]);
    return (await relay.api("GET", "/v1/channels/c")).body.consumers === 0;
  }, { every: 5 });
});

onBothTransports("pipe - a cancel ends the upload", async (relay) => {
  const { socket } = await relay.join("consume", "c");
  const put = upload(relay, "c");
  await put.write("a");
  assertEquals(await text(socket, 1), "a");
  const { body } = await relay.api("POST", "/v1/channels/c/cancel", {});
  assertEquals(body.ack, "producer");
  const [, record] = (await socket.next()).split("\n");
  assertEquals(JSON.parse(record).code, "cancelled");
  assertEquals((await socket.json()).end.kind, "error");
  const response = await put.response.catch(() => undefined);
  // a client that still sends may see the connection break instead of the answer
  if (response) assertEquals((await response.json()).error.code, "cancelled");
  put.abort();
});

onBothTransports("pipe - what was cancelled before ends at once", async (relay) => {
  await relay.channel("c");
  await relay.api("POST", "/v1/channels/c/cancel", {});
  const { status, body } = await relay.api("PUT", "/v1/pipe/c?end=eof", "text");
  assertEquals([status, body.error.code], [409, "cancelled"]);
  assertEquals((await relay.api("GET", "/v1/channels/c")).body.end.kind, "error");
});

onBothTransports("pipe - bad requests are refused in words", async (relay) => {
  const { tokens } = await relay.channel("c");
  const wrong: [string, string, string | null, number, string][] = [
    ["PUT", "/v1/pipe/c?end=now", relay.secret, 400, "bad_request"],
    ["PUT", "/v1/pipe/c", tokens.consume, 403, "forbidden"],
    ["GET", "/v1/pipe/c", tokens.produce, 403, "forbidden"],
    ["GET", "/v1/pipe/c", null, 401, "unauthorized"],
    ["GET", "/v1/pipe/bad%20id", relay.secret, 400, "bad_request"],
    ["DELETE", "/v1/pipe/c", relay.secret, 404, "not_found"],
  ];
  for (const [method, path, auth, status, code] of wrong) {
    const answer = await relay.api(method, path, method === "PUT" ? "x" : undefined, { auth });
    assertEquals([answer.status, answer.body.error.code], [status, code], path);
  }
  await relay.api("POST", "/v1/channels/c/end", { kind: "done" });
  const late = await relay.api("PUT", "/v1/pipe/c", "late");
  assertEquals([late.status, late.body.error.code], [409, "ended"]);
});

onBothTransports("pipe - a relay that closes breaks off what runs", async (relay) => {
  const put = upload(relay, "c");
  const reader = download(await get(relay, "c"));
  await put.write("a");
  await reader.until("a");
  await relay.relay.close();
  await assertRejects(() => reader.read());
  await put.response.then((response) => response.body?.cancel(), () => {});
  put.abort();
});

onBothTransports("pipe - curl as people type it", async (relay) => {
  const curl = (...args: string[]) =>
    new Deno.Command("curl", {
      args: ["-sN", "-H", `Authorization: Bearer ${relay.secret}`, ...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
  const { socket } = await relay.join("consume", "c");
  const up = curl("-T", "-", `${relay.http}/v1/pipe/c?end=eof`);
  const down = curl(`${relay.http}/v1/pipe/c`);
  await down.stdin.close();
  const writer = up.stdin.getWriter();
  await writer.write(new TextEncoder().encode("Hello"));
  // it arrives while curl still runs
  assertEquals(await text(socket, 5), "Hello");
  await writer.write(new TextEncoder().encode(", wörld\n"));
  await writer.close();
  const { success, stdout } = await up.output();
  assert(success);
  assertEquals(JSON.parse(new TextDecoder().decode(stdout)).end.kind, "done");
  const printed = await down.output();
  assertEquals([printed.success, new TextDecoder().decode(printed.stdout)], [
    true,
    "Hello, wörld\n",
  ]);
});

onBothTransports("pipe - curl tells when a stream failed", async (relay) => {
  await relay.api("PUT", "/v1/pipe/c", "half");
  await relay.api("POST", "/v1/channels/c/end", { kind: "error", code: "oom", message: "Out" });
  const { code, stdout } = await new Deno.Command("curl", {
    args: ["-sN", "-H", `Authorization: Bearer ${relay.secret}`, `${relay.http}/v1/pipe/c`],
  }).output();
  assertEquals(new TextDecoder().decode(stdout), "half");
  assert(code !== 0);
});
