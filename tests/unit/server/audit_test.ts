/** The audit log names who did what with which channel, from where, and holds no content. @module */
import { assert, assertEquals } from "@std/assert";
import { LocalExecutor } from "../../../adapters/mod.ts";
import { type AuditEntry, mintToken, openAuditFile, serveRelay } from "../../../server/mod.ts";
import { until } from "../../tools/until.ts";
import { onBothTransports } from "./on_both_transports.ts";
import { DONE, type TestRelay, token } from "./test_relay.ts";

const WORDS = "words that nobody else may see";

/** Runs a test with what is noted meanwhile. */
function audited(
  name: string,
  body: (relay: TestRelay, lines: () => AuditEntry[]) => Promise<void>,
  insecure = false,
): void {
  let lines: AuditEntry[] = [];
  onBothTransports(`audit - ${name}`, async (relay) => {
    lines = [];
    await body(relay, () => lines);
  }, { insecure, audit: (entry) => lines.push(entry) });
}

/** Waits for an event that fits. */
async function event(
  lines: () => AuditEntry[],
  wanted: Partial<AuditEntry>,
): Promise<AuditEntry> {
  return await until(
    `${JSON.stringify(wanted)}`,
    () =>
      lines().find((line) =>
        Object.entries(wanted).every(([name, value]) => line[name as keyof AuditEntry] === value)
      ),
  );
}

audited("who wrote, who read, how much, how it ended", async (relay, lines) => {
  const alice = await mintToken(relay.secret, {
    prefix: "alice-",
    roles: ["create"],
    subject: "alice",
  });
  const { body } = await relay.api("POST", "/v1/channels", { id: "alice-1" }, { auth: alice });
  const bob = await mintToken(relay.secret, {
    channel: "alice-1",
    roles: ["consume"],
    subject: "bob",
  });
  const { socket } = await relay.join("consume", "alice-1", { auth: bob });
  const producer = await relay.producer("alice-1", "one", { auth: body.tokens.produce });
  await producer.put([token(WORDS)]);
  await producer.put([DONE], "done");
  await event(lines, { event: "closed", as: "produce" });
  await event(lines, { event: "closed", as: "consume" });
  await event(lines, { event: "ended" });
  const told = lines().map(({ event, who, key, as, face, end }) =>
    [event, who, key, as, face, end].filter(Boolean).join(" ")
  );
  assertEquals(told.toSorted(), [
    "closed alice token produce v2",
    "closed bob token consume v2",
    "created alice token",
    "ended done",
    "opened alice token produce v2",
    "opened bob token consume v2",
  ]);
  for (const line of lines()) {
    assertEquals(line.channel, "alice-1");
    assert(!Number.isNaN(Date.parse(line.ts)));
    assert(line.event === "ended" || line.from?.includes("127.0.0.1"), JSON.stringify(line));
  }
  const bytes = (event: string, as?: string) =>
    lines().find((line) => line.event === event && line.as === as)?.bytes ?? 0;
  assert(bytes("closed", "produce") > WORDS.length);
  assertEquals(bytes("closed", "produce"), bytes("ended"));
  assert(bytes("closed", "consume") > WORDS.length);
  const all = JSON.stringify(lines());
  for (const hidden of [WORDS, relay.secret, alice, bob, body.tokens.produce]) {
    assert(!all.includes(hidden), hidden);
  }
  await socket.close();
});

audited("who cancelled, who removed, and inputs without what is in them", async (relay, lines) => {
  const { tokens } = await relay.channel("c");
  await relay.api("PUT", "/v1/channels/c/input", WORDS, { auth: tokens.supervise });
  await relay.api("GET", "/v1/channels/c/input", undefined, { auth: tokens.produce });
  assertEquals(
    lines().filter(({ event }) => event === "input").map(({ as, bytes }) => [as, bytes]),
    [
      ["supervise", WORDS.length],
      ["produce", WORDS.length],
    ],
  );
  await relay.api("POST", "/v1/channels/c/cancel", { reason: WORDS }, { auth: tokens.cancel });
  const { who, key, by } = await event(lines, { event: "cancelled" });
  assertEquals([who, key, by], [undefined, "token", "consumer"]);
  const { socket } = await relay.join("consume", "d");
  socket.send({ cancel: { reason: WORDS } });
  const { key: root } = await event(lines, { event: "cancelled", channel: "d" });
  assertEquals(root, "secret");
  await relay.api("DELETE", "/v1/channels/c");
  await event(lines, { event: "deleted", channel: "c", key: "secret" });
  assert(!JSON.stringify(lines()).includes(WORDS));
});

audited("those who were refused, on every face", async (relay, lines) => {
  await relay.channel("c");
  const reader = await relay.token("c", "consume");
  const wrong = "a wrong secret";
  const v1 = await relay.v1("consume", "c", wrong);
  await event(lines, { event: "refused", channel: "c", face: "v1", code: "unauthorized" });
  const v2 = await relay.v2("produce", "c", { auth: reader, instance: "x" });
  await event(lines, { event: "refused", as: "produce", face: "v2", code: "forbidden" });
  await relay.api("GET", "/v1/channels/c", undefined, { auth: wrong });
  const { from } = await event(lines, { event: "refused", face: "http", code: "unauthorized" });
  assert(from?.includes("127.0.0.1"));
  await relay.api("GET", "/v1/pipe/..%2f%22,", undefined, { auth: wrong });
  await event(lines, { event: "refused", channel: undefined, face: "http" });
  assert(!JSON.stringify(lines()).includes(wrong));
  await Promise.all([v1.close(), v2.close()]);
});

audited("plain tools and producers that POST", async (relay, lines) => {
  await relay.api("PUT", "/v1/pipe/p?end=eof", WORDS);
  assertEquals((await relay.api("GET", "/v1/pipe/p")).body, WORDS);
  const { bytes } = await event(lines, { event: "closed", as: "consume", face: "pipe" });
  assertEquals(bytes, WORDS.length);
  await event(lines, { event: "closed", as: "produce", face: "pipe" });
  await relay.channel("h");
  const { body } = await relay.api("POST", "/v1/channels/h/claim", { instance: "one" });
  await relay.api("POST", "/v1/channels/h/records", WORDS, {
    headers: {
      "content-type": "text/plain",
      "producer-id": "one",
      "producer-epoch": String(body.epoch),
      "producer-seq": "0",
      "producer-close": "done",
    },
  });
  await event(lines, { event: "opened", channel: "h", as: "produce", face: "http" });
  const closed = await event(lines, { event: "closed", channel: "h", face: "http" });
  assert(closed.bytes! > WORDS.length);
  assert(!JSON.stringify(lines()).includes(WORDS));
});

audited("a relay that asks for no credential", async (relay, lines) => {
  const { socket } = await relay.join("consume", "c", { auth: undefined });
  const { who, key } = await event(lines, { event: "opened", channel: "c" });
  assertEquals([who, key], [undefined, "none"]);
  await socket.close();
}, true);

Deno.test("audit - which job, also where the relay can't read what it prints", async () => {
  const secret = "a long random secret";
  const lines: AuditEntry[] = [];
  const relay = await serveRelay({ port: 0, secret, audit: (entry) => lines.push(entry) });
  const executor = new LocalExecutor({ relay: { url: relay.url, token: secret } });
  const stream = executor.stream({ text: "cat" }, WORDS);
  assertEquals(await stream.text(), WORDS);
  await event(() => lines, { event: "closed", as: "produce" });
  await event(() => lines, { event: "closed", as: "consume" });
  await relay.close();
  for (const line of lines) {
    if (line.event !== "ended" && line.event !== "closed") continue;
    assertEquals(line.jobId, stream.job.id, JSON.stringify(line));
  }
  assert(lines.some(({ event, as }) => event === "input" && as === "produce"));
  assert(!JSON.stringify(lines).includes(WORDS));
});

Deno.test("audit file - its owner's alone, appended to, opened anew where it was moved away", async () => {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/audit.jsonl`;
  const line = (channel: string): AuditEntry => ({
    ts: "2026-01-01T00:00:00Z",
    event: "opened",
    channel,
  });
  {
    using audit = openAuditFile(path);
    assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
    audit.write(line("a"));
  }
  using audit = openAuditFile(path);
  audit.write(line("b"));
  await Deno.rename(path, `${path}.1`);
  audit.write(line("c"));
  audit.reopen();
  audit.write(line("d"));
  const channels = async (name: string) =>
    (await Deno.readTextFile(name)).trim().split("\n").map((text) => JSON.parse(text).channel);
  assertEquals(await channels(`${path}.1`), ["a", "b", "c"]);
  assertEquals(await channels(path), ["d"]);
  await Deno.remove(dir, { recursive: true });
});

Deno.test({
  name: "audit file - a full disk is told once, and the relay goes on",
  ignore: Deno.build.os !== "linux",
  fn() {
    const told: string[] = [];
    // every write to it fails for want of room
    using audit = openAuditFile("/dev/full", (level, message) => told.push(`${level}: ${message}`));
    for (let index = 0; index < 3; index++) {
      audit.write({ ts: "2026-01-01T00:00:00Z", event: "opened" });
    }
    assertEquals(told, ["warn: Cannot write the audit log, the relay goes on without"]);
  },
});
