/** Spools as a network file system may show them: torn, late, taken back. @module */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { localPrograms } from "../../../adapters/program_runner.ts";
import { SpoolFeed } from "../../../adapters/spool/spool_feed.ts";
import { ControlClient, RelayConsumer } from "../../../client/mod.ts";
import { serveRelay } from "../../../server/mod.ts";
import type { StreamError } from "../../../stream/mod.ts";
import { until } from "../../tools/until.ts";

const CLAIM = '{"spool":1,"channel":"c","epoch":1,"instance":"one"}\n';
const bytes = (text: string) => new TextEncoder().encode(text);

/** One frame, as a producer writes it. */
function frame(s: number, lines: string[], more: Record<string, unknown> = {}): string {
  const body = lines.join("\n");
  const head = { n: lines.length, e: 1, s, b: bytes(body).length, ...more };
  return `${JSON.stringify(head)}\n${body}\n`;
}

const token = (content: string) => JSON.stringify({ type: "token", content });
const DONE = '{"type":"done","reason":"completed"}';

/** A spool that is followed, and what its reader gets. */
async function openSpool() {
  const secret = crypto.randomUUID();
  const relay = await serveRelay({ port: 0, secret });
  const control = new ControlClient({ url: relay.url, token: secret });
  const { id: channel } = await control.createChannel();
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/1.spool`, "");
  const broken = Promise.withResolvers<StreamError>();
  const follow = () =>
    new SpoolFeed({
      machine: localPrograms.machine,
      folder,
      relay: relay.url,
      channel,
      token: secret,
      timings: { spoolEvery: 10, spoolRetry: 20 },
      trouble: () => {},
      broken: broken.resolve,
    });
  const consumer = new RelayConsumer({ url: relay.url, channel, token: secret });
  let text = "";
  const ended = consumer.stream().onChunk((event) => {
    if (event.type === "token") text += event.content;
  });
  ended.catch(() => {});
  let feed = follow();
  return {
    broken: broken.promise,
    ended,
    control,
    channel,
    text: () => text,
    settle: () => feed.settle(() => true),
    write: (name: string, more: string | Uint8Array) =>
      Deno.writeFile(`${folder}/${name}`, typeof more === "string" ? bytes(more) : more, {
        append: true,
      }),
    truncate: (size: number) => Deno.truncate(`${folder}/1.spool`, size),
    /** Another process takes over. */
    async again() {
      await feed.stop();
      feed = follow();
    },
    async [Symbol.asyncDispose]() {
      await feed.stop();
      consumer.close();
      await relay.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

Deno.test("spool - a byte at a time, with a reader that is replaced", async () => {
  await using spool = await openSpool();
  const all = CLAIM + frame(0, [token("a é"), token("\n")]) + frame(2, []) +
    frame(2, [btoa("\0b")], { as: "base64" }) + frame(3, [DONE], { close: "done" });
  for (const [i, byte] of bytes(all).entries()) {
    await spool.write("1.spool", Uint8Array.of(byte));
    if (i % 40 === 0) await spool.again();
  }
  await spool.ended;
  assertEquals(spool.text(), "a é\n\0b");
});

Deno.test("spool - a frame that was taken back and written anew comes once", async () => {
  await using spool = await openSpool();
  const begun = CLAIM + frame(0, [token("first")]);
  await spool.write("1.spool", begun + frame(1, [token("half a frame")]).slice(0, -9));
  await until("the first frame", () => spool.text() === "first");
  await spool.truncate(bytes(begun).length);
  await spool.settle();
  await spool.write("1.spool", frame(1, [token(" second")]));
  await spool.write("1.spool", frame(2, [DONE], { close: "done" }));
  await spool.ended;
  assertEquals(spool.text(), "first second");
});

Deno.test("spool - zeros stand for what isn't visible yet", async () => {
  await using spool = await openSpool();
  const whole = bytes(CLAIM + frame(0, [token("hidden")]) + frame(1, [DONE], { close: "done" }));
  const from = bytes(CLAIM).length + 30;
  const holey = whole.slice();
  holey.fill(0, from, from + 10);
  await spool.write("1.spool", holey);
  await spool.settle();
  assertEquals(spool.text(), "");
  const { channel, control } = spool;
  assertEquals((await control.info(channel)).claims.map(({ next }) => next), [0]);
  await spool.truncate(0);
  await spool.write("1.spool", whole);
  await spool.ended;
  assertEquals(spool.text(), "hidden");
});

Deno.test("spool - an attempt that died without a word has had its number", async () => {
  await using spool = await openSpool();
  const second = CLAIM.replace('"epoch":1', '"epoch":2').replace('"one"', '"two"');
  await spool.write("1.spool", CLAIM.slice(0, 20));
  await spool.write("2.spool", second + frame(0, [token("second")]).replace('"e":1', '"e":2'));
  await spool.write("2.spool", frame(1, [DONE], { close: "done" }).replace('"e":1', '"e":2'));
  await spool.ended;
  assertEquals(spool.text(), "second");
  const { claims } = await spool.control.info(spool.channel);
  assertEquals(claims.at(-1)?.epoch, 2);
});

Deno.test("spool - what stays unreadable is told with its place", async () => {
  await using spool = await openSpool();
  await spool.write("1.spool", CLAIM + "no frame at all\n");
  const error = await spool.broken;
  assertEquals(error.code, "producer_lost");
  assertStringIncludes(error.message, `at byte ${CLAIM.length} of 1.spool`);
});

Deno.test("spool - records that are missing are told", async () => {
  await using spool = await openSpool();
  await spool.write("1.spool", CLAIM + frame(3, [token("late")]));
  const error = await spool.broken;
  assertEquals(error.code, "producer_lost");
  assertStringIncludes(error.message, "record 3");
});
