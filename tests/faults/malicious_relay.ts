/**
 * A relay that lies, between an honest log and an honest reader.
 *
 * @module
 */
import { RelayConsumer } from "../../client/mod.ts";
import {
  decodeResumeToken,
  encodeResumeToken,
  generateKey,
  type StreamResult,
} from "../../stream/mod.ts";
import { type FakeConnection, FakeRelay } from "../unit/client/fake_relay.ts";
import { type Random, random as randomFrom } from "./random.ts";
import { type Attack, ATTACKS } from "./relay_attacks.ts";
import { attempts, draw, type Entry, write } from "./sealed_log.ts";

/** What came of one attack. */
export interface Outcome {
  /** Its name; `none` for a stream that was left alone. */
  name: string;
  /** What is wrong with what the reader made of it, if anything. */
  complaint?: string;
  /** The code of the reader's error, or the reason of its end. */
  reason: string;
}

interface Reading {
  /** The text delivered, by attempt. */
  texts: string[];
  result: StreamResult;
}

/** Bounds the connections of one reader: a relay may let it wait for ever. */
const CONNECTIONS = 6;

/**
 * Makes one stream, attacks it, reads it, and judges.
 *
 * @param seed Where chance begins.
 * @param honest Whether nothing is done to it.
 * @returns What came of it.
 */
export async function attackOnce(seed: number, honest = false): Promise<Outcome> {
  const random = randomFrom(seed);
  const channel = "c1";
  const key = generateKey();
  const plan = draw(random);
  const log = await write(plan, key, channel, "t");
  const resumeToken = random.next() < 0.3 ? await readPart(log, key, random) : undefined;
  const from = resumeToken === undefined ? 0 : decodeResumeToken(resumeToken).offset;
  const attack: Attack = {
    log: [...log],
    from,
    key,
    other: await write(plan, key, "c2", "o"),
    older: await write(plan, key, channel, "z"),
    forged: await write(plan, generateKey(), channel, "f"),
    random,
  };
  let name = "none";
  let mustFail: boolean | undefined = honest ? false : undefined;
  while (mustFail === undefined) {
    const names = Object.keys(ATTACKS);
    name = names[random.between(0, names.length - 1)];
    mustFail = await ATTACKS[name](attack);
  }
  const { texts, result } = await read(attack, key, resumeToken);
  const complaint = judge({ texts, result }, attempts(log, from), plan.end, mustFail);
  return { name, reason: result.reason, complaint };
}

/** What is wrong with a reading. */
function judge(
  { texts, result }: Reading,
  truth: string[],
  end: string | undefined,
  mustFail: boolean,
): string | undefined {
  const succeeded = result.error === undefined;
  if (texts.length > truth.length) return `${texts.length} attempts of ${truth.length}`;
  for (const [at, text] of texts.entries()) {
    if (!truth[at].startsWith(text)) return `read "${text}", written was "${truth[at]}"`;
  }
  if (succeeded && end !== "done") return "success of a stream that had none";
  if (succeeded && mustFail) return "not noticed";
  if (succeeded && texts.at(-1) !== truth.at(-1)) return "success of a stream that is not whole";
  const expected = { done: "completed", error: "job_failed", none: "producer_lost" }[end ?? "none"];
  if (!mustFail && result.reason !== expected) {
    return `ended as ${result.reason}, expected ${expected}: ${result.error?.message}`;
  }
}

async function read(attack: Attack, key: string, resumeToken?: string): Promise<Reading> {
  const relay = new FakeRelay();
  const stream = new RelayConsumer({ ...relay.options, key, resumeToken }).stream();
  const serving = serve(relay, attack);
  const texts = [""];
  for await (const event of stream.events()) {
    if (event.type === "token") texts[texts.length - 1] += event.content;
    else if (event.type === "data") texts[texts.length - 1] += JSON.stringify(event.payload);
    else if (event.type === "status" && event.state === "restarted") texts.push("");
  }
  const result = await stream.result;
  serving.stop();
  return { texts, result };
}

/** Reads an honest relay up to somewhere, and leaves with a resume token. */
async function readPart(log: Entry[], key: string, random: Random): Promise<string> {
  const relay = new FakeRelay();
  const consumer = new RelayConsumer({ ...relay.options, key });
  const stream = consumer.stream();
  const events = stream.events();
  const first = events.next();
  const connection = await relay.next();
  await connection.hello();
  const upTo = random.between(1, log.findLastIndex(({ by }) => by === "p") - 1);
  for (let at = 0; at < upTo; at++) send(connection, log, at, at + 1);
  const last = `upTo ${upTo}`;
  send(connection, [...log.slice(0, upTo), { by: "s", line: statusLine(last) }], upTo, upTo + 1);
  for (let event = await first; !event.done; event = await events.next()) {
    if (event.value.type === "status" && event.value.state === last) break;
  }
  const point = decodeResumeToken(stream.resumeToken!);
  consumer.close();
  // before the status, which stands in no log but this one's
  return encodeResumeToken({ ...point, offset: point.offset - 1 });
}

function statusLine(state: string): string {
  return JSON.stringify({ type: "status", state });
}

/** Serves a log to a reader, in frames of chance and with cuts of chance. */
function serve(relay: FakeRelay, attack: Attack): { stop(): void } {
  let over = false;
  (async () => {
    for (let connections = 1; !over; connections++) {
      const connection = await relay.next();
      if (over) return;
      if (attack.oldRelay) connection.accept().close(4000);
      else if (connections > CONNECTIONS) connection.accept().close(4502);
      else await serveOnce(connection, attack, connections);
    }
  })();
  return { stop: () => over = true };
}

async function serveOnce(
  connection: FakeConnection,
  attack: Attack,
  connections: number,
): Promise<void> {
  const { log, random, skip } = attack;
  const incarnation = "i1";
  const hello = await connection.hello({ incarnation, next: log.length });
  const from = hello.from as number;
  const session = attack.session ??
    log.slice(0, from).findLast(({ s, by }) => by === "p" && s === 0);
  if (session !== undefined && (from > 0 || attack.session !== undefined)) {
    const { e, line } = session;
    connection.events({ o: 0, by: "p", e, s: 0, re: 1 }, [line]);
  }
  // a reader that asked for the start is told that what comes is the start
  const served = skip !== undefined ? log.slice(skip) : log;
  for (let at = from; at < served.length;) {
    const to = Math.min(served.length, at + random.between(1, 4));
    send(connection, served, at, to);
    at = to;
    if (connections < 3 && random.next() < 0.1) return connection.close(1006);
    // now and then the reader gets its turn in between
    if (random.next() < 0.3) await Promise.resolve();
  }
  connection.send({ end: { ts: 1, ...(attack.end ?? trueEnd(served)) } });
  connection.close(1000);
}

function trueEnd(log: Entry[]): Record<string, unknown> {
  const offset = log.findLastIndex(({ final }) => final);
  return offset < 0
    ? { kind: "error", by: "relay", code: "producer_lost", message: "Gone" }
    : { kind: "sealed", by: "producer", offset };
}

function send(connection: FakeConnection, log: Entry[], from: number, to: number): void {
  const { by, e, s } = log[from];
  const lines = log.slice(from, to).map(({ line }) => line);
  connection.events({ o: from, by, ...(by === "p" && { e, s }) }, lines);
}
