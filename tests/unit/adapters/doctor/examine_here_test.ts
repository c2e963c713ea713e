/** What the doctor finds on this machine behind fronts that change what passes. @module */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { diagnose, type Diagnosis } from "../../../../adapters/doctor/diagnose.ts";
import { examineHere } from "../../../../adapters/doctor/examine_here.ts";
import type { NodeScriptOptions } from "../../../../adapters/doctor/node_script.ts";
import { ControlClient } from "../../../../client/mod.ts";
import { serveRelay } from "../../../../server/mod.ts";
import { onPath } from "../../../systems/on_path.ts";

const ignore = onPath("curl") === undefined || Deno.build.os !== "linux";

/** Examines this machine, with a relay behind a front. */
async function examine(
  pass: (request: Request, relay: string) => Promise<Response>,
  options: NodeScriptOptions = {},
): Promise<Diagnosis> {
  const secret = crypto.randomUUID();
  const relay = await serveRelay({ port: 0, secret });
  const place = relay.url.replace("ws", "http");
  const front = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => pass(request, place),
  );
  try {
    const { id, tokens } = await new ControlClient({ url: relay.url, token: secret })
      .createChannel();
    const url = `http://127.0.0.1:${front.addr.port}`;
    const channel = { id, token: tokens.produce };
    return diagnose(await examineHere({ url, channel, patience: 5, ...options }));
  } finally {
    await front.shutdown();
    await relay.close();
  }
}

/** Passes on a request whose body has come as a whole, and no upgrade. */
async function whole(request: Request, relay: string, headers = {}): Promise<Response> {
  if (request.headers.has("upgrade")) return new Response("no", { status: 403 });
  const { pathname, search } = new URL(request.url);
  const passed = new Headers(request.headers);
  for (const name of ["transfer-encoding", "content-length", "host"]) passed.delete(name);
  const { method } = request;
  const body = method === "GET" ? undefined : await request.arrayBuffer();
  const answer = await fetch(`${relay}${pathname}${search}`, { method, headers: passed, body });
  return new Response(answer.status === 204 ? null : await answer.arrayBuffer(), {
    status: answer.status,
    headers: { ...Object.fromEntries(answer.headers), ...headers },
  });
}

Deno.test({
  name:
    "doctor - a front that passes no WebSocket and holds uploads back: the producers go by POST",
  ignore,
  async fn() {
    const { produces, findings } = await examine((request, relay) => whole(request, relay));
    const warnings = findings.filter(({ state }) => state === "warning");
    const of = (check: string) => warnings.find((one) => one.check === check)?.message ?? "";
    assertMatch(
      of("websocket"),
      /^no WebSocket gets through \(HTTP 403\): producers send by POST$/,
    );
    assertMatch(of("upload"), /^a chunked upload does not arrive while it is sent/);
    assertEquals(produces, "yes", JSON.stringify(findings));
  },
});

Deno.test({
  name: "doctor - a relay whose clock is an hour behind",
  ignore,
  async fn() {
    const { findings } = await examine((request, relay) =>
      whole(request, relay, { date: new Date(Date.now() - 3_600_000).toUTCString() })
    );
    const clock = findings.find(({ check }) => check === "clock");
    assertEquals(clock?.state, "warning");
    assertStringIncludes(clock!.message, "this node's clock is 60 minutes ahead of the relay's");
  },
});

Deno.test({
  name: "doctor - something else than a relay answers",
  ignore,
  async fn() {
    const { produces, verdict, findings } = await examine(
      () => Promise.resolve(new Response("<html>Log in to the network</html>")),
    );
    assertEquals(produces, "no", JSON.stringify(findings));
    assertMatch(verdict, / can't produce \(relay, stream\)$/);
    const { message } = findings.find(({ check }) => check === "relay")!;
    assertMatch(message, /^what answers at 127\.0\.0\.1:\d+ is no relay \(HTTP 200\)$/);
  },
});

Deno.test({
  name: "doctor - the producer that was named is tried first; one that isn't there is told",
  ignore,
  async fn() {
    const straight = (request: Request, relay: string) => whole(request, relay);
    const bundle = new URL(
      "../../../../adapters/producers/streamrelay-producer.js",
      import.meta.url,
    ).pathname;
    const use: [] = [];
    const named = await examine(straight, { producer: { path: bundle, use } });
    assertEquals(named.produces, "yes", JSON.stringify(named.findings));
    assertEquals(named.configuration, { producer: { path: bundle } });
    const missing = await examine(straight, { producer: { path: "/nowhere/producer", use } });
    assertEquals(missing.produces, "no");
    const said = missing.findings.find(({ check }) => check === "producer");
    assertStringIncludes(said!.message, "/nowhere/producer can't be used");
  },
});
