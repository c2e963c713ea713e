/** What a reader of an encrypted stream lets through, from any place. @module */
import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import {
  decodeResumeToken,
  encodeResumeToken,
  generateKey,
  OpeningSession,
  openInput,
  SealingSession,
  sealInput,
  StreamError,
  type StreamEvent,
} from "../../../stream/mod.ts";
import { test } from "../../tools/test.ts";

const channel = "c1";
const token = (content: string) => JSON.stringify({ type: "token", content });
const DONE = '{"type":"done","reason":"completed"}';
const FAILED =
  '{"type":"error","code":"job_failed","message":"Exit 3","details":{"stderr":"secret"}}';

/** The records of one epoch: a session record, one record a text, the end. */
async function epoch(
  key: string,
  texts: string[],
  { number = 1, end = DONE, continues }: {
    number?: number;
    end?: string | null;
    continues?: { epoch: number; count: number };
  } = {},
): Promise<string[]> {
  const sealing = new SealingSession({ key, channel, epoch: number, continues });
  const records = [await sealing.begin()];
  for (const text of texts) records.push(await sealing.seal(token(text)));
  if (end !== null) records.push(await sealing.end(end));
  return records;
}

function textOf(events: StreamEvent[]): string {
  return events.map((event) => event.type === "token" ? event.content : "").join("");
}

async function refused(work: Promise<unknown>, code = "tampered"): Promise<void> {
  assertEquals((await assertRejects(() => work, StreamError)).code, code);
}

test("OpeningSession - reads records one by one and all at once the same", async () => {
  const key = generateKey();
  const records = await epoch(key, ["a", "b", "c"]);
  const single = new OpeningSession({ key, channel });
  const parts = await Promise.all(records.map((record) => single.open(record)));
  const whole = await new OpeningSession({ key, channel }).open(records.join("\n"));
  assertEquals(parts.flatMap(({ events }) => events), whole.events);
  assertEquals(whole.session.next, 5);
});

test("OpeningSession - stays failed", async () => {
  const key = generateKey();
  const [begin, first, second] = await epoch(key, ["a", "b"]);
  const opening = new OpeningSession({ key, channel });
  await opening.open(begin);
  await refused(opening.open(second));
  await refused(opening.open(first));
});

test("OpeningSession - a reader in the middle takes the session that is sent again", async () => {
  const key = generateKey();
  const [begin, , second, end] = await epoch(key, ["a", "b"]);
  const opening = new OpeningSession({ key, channel, midway: true });
  await opening.resent(begin);
  const { events } = await opening.open(`${second}\n${end}`);
  assertEquals(textOf(events), "b");
  assertEquals(events.at(-1)?.type, "done");
});

test("OpeningSession - a reader in the middle needs a session", async () => {
  const key = generateKey();
  const [, , second] = await epoch(key, ["a", "b"]);
  await refused(new OpeningSession({ key, channel, midway: true }).open(second));
});

test("OpeningSession - a reader from the start can't be put into the middle", async () => {
  const key = generateKey();
  const [begin] = await epoch(key, ["a", "b"]);
  await refused(new OpeningSession({ key, channel }).resent(begin));
});

test("OpeningSession - after a cut the same session may be sent again, no other", async () => {
  const key = generateKey();
  const [begin, first] = await epoch(key, ["a"]);
  const [older] = await epoch(key, ["a"]);
  const opening = new OpeningSession({ key, channel });
  await opening.open(`${begin}\n${first}`);
  await opening.resent(begin);
  await refused(opening.resent(older));
});

test("OpeningSession - what is sent again must be a session record", async () => {
  const key = generateKey();
  const [, first] = await epoch(key, ["a"]);
  await refused(new OpeningSession({ key, channel, midway: true }).resent(first));
});

test("OpeningSession - a resume token goes on in its session, at its record", async () => {
  const key = generateKey();
  const [begin, first, second, end] = await epoch(key, ["a", "b"]);
  const before = await new OpeningSession({ key, channel }).open(`${begin}\n${first}`);
  const kept = encodeResumeToken({
    channel,
    incarnation: "i",
    offset: 2,
    session: before.session,
  });
  const point = decodeResumeToken(kept).session;
  assertEquals(point, before.session);

  const opening = new OpeningSession({ key, channel, point });
  await opening.resent(begin);
  assertEquals(textOf((await opening.open(`${second}\n${end}`)).events), "b");

  await refused(new OpeningSession({ key, channel, point }).open(end));
  await refused(new OpeningSession({ key, channel, point }).open(first));
  const other = await epoch(key, ["x", "y"]);
  await refused(new OpeningSession({ key, channel, point }).resent(other[0]));
  await refused(new OpeningSession({ key, channel, point }).open(other[2]), "decrypt_failed");
});

test("OpeningSession - a token from before the first session knows that none had begun", async () => {
  const key = generateKey();
  const records = await epoch(key, ["a"]);
  const before = await new OpeningSession({ key, channel }).open(
    '{"type":"status","state":"queued"}',
  );
  const point = decodeResumeToken(
    encodeResumeToken({ channel, incarnation: "i", offset: 1, session: before.session }),
  ).session;
  await refused(new OpeningSession({ key, channel, point }).resent(records[0]));
  const { events } = await new OpeningSession({ key, channel, point }).open(records.join("\n"));
  assertEquals(textOf(events), "a");
});

test("OpeningSession - a new session voids the text before it, and says so itself", async () => {
  const key = generateKey();
  const log = [
    ...await epoch(key, ["a"], { end: null }),
    '{"type":"status","state":"restarted","attempt":3}',
    ...await epoch(key, ["b"], { number: 3 }),
  ];
  const { events } = await new OpeningSession({ key, channel }).open(log.join("\n"));
  assertEquals(events.map(({ type }) => type), ["token", "status", "token", "done"]);
  assertEquals(events[1], { type: "status", state: "restarted", attempt: 3 });
});

test("OpeningSession - a relay can't void text", async () => {
  const key = generateKey();
  const [begin, first, second, end] = await epoch(key, ["a", "b"]);
  const restarted = '{"type":"status","state":"restarted","attempt":2}';
  const { events } = await new OpeningSession({ key, channel }).open(
    [begin, first, restarted, second, end].join("\n"),
  );
  assertEquals(events.map(({ type }) => type), ["token", "token", "done"]);
});

test("OpeningSession - a verdict inside a failing status is opened, and ends its epoch", async () => {
  const key = generateKey();
  const [begin, first, end] = await epoch(key, ["a"], { end: FAILED });
  const failing = JSON.stringify({ type: "status", state: "failing", sealed: JSON.parse(end) });
  const opening = new OpeningSession({ key, channel });
  const { events } = await opening.open([begin, first, failing].join("\n"));
  assertEquals(events[1], {
    type: "status",
    state: "failing",
    code: "job_failed",
    reason: "Exit 3",
    details: { stderr: "secret" },
  } as StreamEvent);
  await refused(opening.open(end));
});

test("OpeningSession - a success can't be hidden in a failing status", async () => {
  const key = generateKey();
  const [begin, end] = await epoch(key, []);
  const failing = JSON.stringify({ type: "status", state: "failing", sealed: JSON.parse(end) });
  await refused(new OpeningSession({ key, channel }).open(`${begin}\n${failing}`));
});

test("OpeningSession - a reader behind the final record reads it alone", async () => {
  const key = generateKey();
  const records = await epoch(key, ["a"]);
  const opening = new OpeningSession({ key, channel });
  await opening.open(records.join("\n"));
  opening.rereadEnd();
  const { events } = await opening.open(records[2]);
  assertEquals(events.map(({ type }) => type), ["done"]);
  opening.rereadEnd();
  await refused(opening.open(records[1]));
});

test("OpeningSession - an end in a record that isn't the final one is no end", async () => {
  const key = generateKey();
  const sealing = new SealingSession({ key, channel, epoch: 1 });
  const records = [await sealing.begin(), await sealing.seal(DONE)];
  await refused(new OpeningSession({ key, channel }).open(records.join("\n")));
});

test("openInput() refuses plaintext, another channel's and a changed blob", async () => {
  const key = generateKey();
  const text = new TextEncoder().encode("Tell me a story that is not short");
  const blob = await sealInput(key, channel, text);
  await refused(openInput(key, "c2", blob), "decrypt_failed");
  await refused(openInput(key, channel, text), "decrypt_failed");
  blob[20] ^= 1;
  await refused(openInput(key, channel, blob), "decrypt_failed");
});

test("OpeningSession - whatever is done to the records, only a true prefix comes out", async () => {
  const key = generateKey();
  const texts = ["one ", "two ", "three ", "four"];
  const log = await epoch(key, texts);
  const others = [
    ...await epoch(key, ["x"]),
    ...await epoch(generateKey(), texts),
    token("forged"),
    DONE,
    '{"type":"status","state":"running"}',
    '{"type":"status","state":"restarted","attempt":9}',
    '{"type":"gap","from":0,"to":3}',
  ];
  const edit = fc.oneof(
    fc.record({ drop: fc.nat(8) }),
    fc.record({ swap: fc.nat(8), with: fc.nat(8) }),
    fc.record({ copy: fc.nat(8), to: fc.nat(8) }),
    fc.record({ put: fc.constantFrom(...others), at: fc.nat(8) }),
    fc.record({ cutAt: fc.nat(8) }),
    fc.record({ flip: fc.nat(8), member: fc.constantFrom("e", "s", "f", "d"), by: fc.nat(60) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), async (edits) => {
      const records = [...log];
      for (const one of edits) apply(records, one);
      const opening = new OpeningSession({ key, channel });
      let text = "";
      let done = false;
      try {
        for (const record of records) {
          for (const event of (await opening.open(record)).events) {
            if (event.type === "token") text += event.content;
            if (event.type === "status") assert(event.state === "running");
            if (event.type === "done") done = true;
          }
        }
      } catch (error) {
        assert(error instanceof StreamError);
        assert(error.code === "tampered" || error.code === "decrypt_failed");
      }
      // "x" is a stream that the key's holder wrote into this channel in another life
      assert(texts.join("").startsWith(text) || text === "x");
      if (done) assert(text === texts.join("") || text === "x");
    }),
    { numRuns: 300 },
  );
});

type Edit =
  & Partial<
    Record<"drop" | "swap" | "with" | "copy" | "to" | "at" | "cutAt" | "flip" | "by", number>
  >
  & { put?: string; member?: string };

function apply(records: string[], edit: Edit): void {
  const { drop, swap, copy, to = 0, put, at = 0, cutAt, flip, member = "d", by = 0 } = edit;
  if (drop !== undefined) records.splice(drop, 1);
  if (put !== undefined) records.splice(at, 0, put);
  if (cutAt !== undefined) records.length = Math.min(records.length, cutAt);
  if (copy !== undefined && copy < records.length) records.splice(to, 0, records[copy]);
  if (swap !== undefined) {
    const other = edit.with ?? 0;
    if (Math.max(swap, other) < records.length) {
      [records[swap], records[other]] = [records[other], records[swap]];
    }
  }
  if (flip !== undefined && records[flip]?.includes("enc2")) {
    const record = JSON.parse(records[flip]);
    if (member === "f") record.f = 1 - record.f;
    else if (member === "d") record.d = turn(record.d, by);
    else record[member] += by + 1;
    records[flip] = JSON.stringify(record);
  }
}

/** Changes one character of base64 into another one. */
function turn(text: string, by: number): string {
  const at = by % (text.length - 4);
  const other = text[at] === "A" ? "B" : "A";
  return text.slice(0, at) + other + text.slice(at + 1);
}
