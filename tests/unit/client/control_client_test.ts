import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ControlClient } from "../../../client/mod.ts";
import { StreamError } from "../../../stream/mod.ts";
import { test } from "../../tools/test.ts";

interface Call {
  url: string;
  method: string;
  headers: Record<string, string>;
  body: unknown;
}

function client(
  answer: (call: Call) => Response | Promise<Response>,
  options: Record<string, unknown> = {},
): { control: ControlClient; calls: Call[] } {
  const calls: Call[] = [];
  const control = new ControlClient({
    url: "ws://relay:1",
    token: "t",
    fetch: (input, init) => {
      const headers = init?.headers as Record<string, string>;
      const { method = "GET", body } = init ?? {};
      const call = { url: `${input}`, method, headers, body };
      calls.push(call);
      return Promise.resolve(answer(call));
    },
    ...options,
  });
  return { control, calls };
}

test("control - a request carries token and JSON", async () => {
  const { control, calls } = client(() => Response.json({ next: 1 }));
  await control.status("c1", { state: "queued" });
  assertEquals(calls, [{
    url: "http://relay:1/v1/channels/c1/status",
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer t" },
    body: '{"state":"queued"}',
  }]);
});

test("control - records carry the claim", async () => {
  const { control, calls } = client(() => Response.json({ next: 1, window: 1 }));
  await control.records("c1", { instance: "me", epoch: 2, seq: 7, close: "done", body: "{}" });
  assertEquals(calls[0].headers, {
    "producer-id": "me",
    "producer-epoch": "2",
    "producer-seq": "7",
    "producer-close": "done",
    "content-type": "application/x-ndjson",
    authorization: "Bearer t",
  });
});

test("control - what a proxy forbids to GET is read by POST", async () => {
  for (const status of [403, 405]) {
    const { control, calls } = client(({ method }) =>
      method === "GET" ? new Response("<html>denied", { status }) : new Response("a prompt")
    );
    assertEquals(new TextDecoder().decode(await control.getInput("c1")), "a prompt");
    assertEquals(calls.map(({ method }) => method), ["GET", "POST"]);
  }
  // a relay's own refusal is final
  const error = { code: "forbidden" as const, message: "No" };
  const { control, calls } = client(() => Response.json({ error }, { status: 403 }));
  await assertRejects(() => control.info("c1"), StreamError, "No");
  assertEquals(calls.length, 1);
});

test("control - an answer that breaks off is one that may be asked for again", async () => {
  const broken = () =>
    new Response(new ReadableStream({ pull: (body) => body.error(new Error("cut off")) }));
  const { control } = client(broken);
  for (const ask of [() => control.info("c1"), () => control.getInput("c1")]) {
    const thrown = await assertRejects(ask, StreamError, "cut off");
    assertEquals([thrown.code, thrown.retry], ["unreachable", true]);
  }
});

test("control - a refusal has the relay's code, sentence and details", async () => {
  const error = { code: "seq_gap" as const, message: "A gap", details: { expected: 3 } };
  const { control } = client(() => Response.json({ error }, { status: 409 }));
  const thrown = await assertRejects(() => control.info("c1"), StreamError);
  assertEquals(thrown.toJSON(), error);
});

test("control - a server that is no relay is told so", async () => {
  for (
    const [status, body] of [[404, "<html>"], [200, "hello"], [500, '{"error":"x"}']] as const
  ) {
    const { control } = client(() => new Response(body, { status }));
    const error = await assertRejects(() => control.info("c1"), StreamError);
    assertEquals(error.code, "unreachable");
    assert(error.message.includes(`answered ${status} with`), error.message);
    assert(error.message.endsWith("expected the control API of a streamrelay relay"));
  }
});

test("control - the relays of a list are tried in turn", async () => {
  const { control, calls } = client(({ url }) => {
    if (url.startsWith("http://a")) throw new TypeError("refused");
    return Response.json({ channels: [] });
  }, { url: "ws://a,wss://b/x" });
  assertEquals(await control.list("p-"), []);
  assertEquals(calls.map(({ url }) => url), [
    "http://a/v1/channels?prefix=p-",
    "https://b/x/v1/channels?prefix=p-",
  ]);
});

test("control - one that is unreachable is named with the reason", async () => {
  const { control } = client(() => {
    throw new TypeError("fetch failed", { cause: new Error("ECONNREFUSED") });
  });
  const error = await assertRejects(() => control.health(), StreamError);
  assertEquals(error.message, "Cannot reach relay ws://relay:1: ECONNREFUSED");
});

test("control - the input is there or not; a channel must be", async () => {
  const missing = { error: { code: "not_found", message: "No input" } };
  const { control } = client(({ url }) =>
    url.endsWith("/input") ? Response.json(missing, { status: 404 }) : Response.json({ id: "c1" })
  );
  assertEquals(await control.getInput("c1"), undefined);
  const { control: other } = client(() => Response.json(missing, { status: 404 }));
  const error = await assertRejects(() => other.getInput("c1"), StreamError);
  assertEquals(error.code, "not_found");
});

test("control - breaks off by the caller's signal", async () => {
  const abort = new AbortController();
  abort.abort();
  const { control } = client(() => Promise.reject(new Error("aborted")), { signal: abort.signal });
  const error = await assertRejects(() => control.health(), StreamError);
  assertEquals(error.code, "cancelled");
});

test("control - needs a URL", () => {
  assertThrows(() => new ControlClient({ url: "relay" }), StreamError, "did you mean ws://relay?");
});
