/**
 * What a malicious relay does to the log of an encrypted channel.
 *
 * @module
 */
import { encodeSealed, encryptMessage } from "../../stream/mod.ts";
import type { Random } from "./random.ts";
import type { Entry } from "./sealed_log.ts";

/** What an attack may use, and change. */
export interface Attack {
  /** The log as it will be served. */
  log: Entry[];
  /** The first offset that the reader asks for. */
  from: number;
  /** The stream's key, for what only the relay's accomplice of another day could have made with it. */
  key: string;
  /** A log of the same shape in another channel, under the same key. */
  other: Entry[];
  /** An older log of the same shape in the same channel, under the same key. */
  older: Entry[];
  /** A log of the same shape in the same channel, under a key of the relay's own. */
  forged: Entry[];
  /** Chance. */
  random: Random;
  /** Sent as session in force to a reader that asked for the start, or in place of the true one. */
  session?: Entry;
  /** What is told as the end, if not what the log says. */
  end?: Record<string, unknown>;
  /** Where the relay begins in truth, whatever the reader asked for. */
  skip?: number;
  /** Closes with 4000, as a relay that only knows v1. */
  oldRelay?: boolean;
}

/** Does something to the log. `undefined` where it can't; `false` where a reader may not notice. */
type Act = (attack: Attack) => boolean | undefined | Promise<boolean | undefined>;

/** Every kind of attack. A reader must fail on each that returns true. */
export const ATTACKS: Record<string, Act> = {
  drop({ log, from, random }) {
    const at = pick(log, from, random);
    const [dropped] = log.splice(at, 1);
    // the tail of an attempt that is void anyway
    return isMissed(log, dropped);
  },
  repeat({ log, from, random }) {
    const at = pick(log, 0, random);
    const final = log.findIndex((entry) => entry.final);
    const [least, most] = [Math.max(at + 1, from), final < 0 ? log.length : final];
    // behind the final record nobody listens
    if (least > most) return undefined;
    const to = random.between(least, most);
    log.splice(to, 0, log[at]);
    return true;
  },
  reorder({ log, from, random }) {
    const [a, b] = [pick(log, from, random), pick(log, from, random)];
    if (a === b) return undefined;
    [log[a], log[b]] = [log[b], log[a]];
    return true;
  },
  truncate(attack) {
    const { log, from, random } = attack;
    const at = pick(log, from, random);
    const last = log.findLast(({ by }) => by === "p")!.e!;
    if (log[at].e !== last) return undefined;
    log.splice(at, log.length);
    const offset = random.between(0, log.length + 1);
    attack.end = oneOf(random, [
      { kind: "sealed", by: "producer", offset },
      { kind: "done", by: "producer", offset },
      { kind: "done", by: "supervisor" },
      { kind: "sealed", by: "producer" },
      { kind: "error", by: "relay", code: "producer_lost", message: "Gone" },
    ]);
    return true;
  },
  flip({ log, from, random }) {
    const entry = log[pick(log, from, random)];
    const record = JSON.parse(entry.line);
    const bytes = Uint8Array.from(atob(record.d), (c) => c.charCodeAt(0));
    bytes[random.between(0, bytes.length - 1)] ^= 1 << random.between(0, 7);
    record.d = btoa(String.fromCharCode(...bytes));
    return change(log, entry, JSON.stringify(record));
  },
  relabel({ log, from, random }) {
    const entry = log[pick(log, from, random)];
    const record = JSON.parse(entry.line);
    const member = oneOf(random, ["e", "s", "f"]);
    record[member] = member === "f" ? 1 - record.f : random.between(0, 9);
    const line = JSON.stringify(record);
    return line === entry.line ? undefined : change(log, entry, line);
  },
  "forge a record"({ log, from, forged, random }) {
    const at = pick(log, from, random);
    log[at] = forged[at];
    return true;
  },
  "forge a stream"(attack) {
    attack.log.splice(0, Infinity, ...attack.forged);
    return true;
  },
  "forge plaintext"({ log, from, random }) {
    const last = log.findIndex(({ final }) => final);
    const at = random.between(from, last < 0 ? log.length : last);
    const line = oneOf(random, [
      '{"type":"token","content":"forged"}',
      '{"type":"data","payload":"forged"}',
      '{"type":"done","reason":"completed"}',
      '{"type":"done","reason":"length","usage":{}}',
      '{"type":"error","code":"cancelled","message":"forged"}',
      '{"type":"text","content":"forged"}',
      '["forged"]',
      "forged",
      "",
    ]);
    log.splice(at, 0, { by: oneOf(random, ["p", "s", "r"]), e: 1, s: 1, line });
    return true;
  },
  "another channel's record"({ log, from, other, random }) {
    const at = pick(log, from, random);
    log[at] = other[at];
    return true;
  },
  "another channel"({ log, other }) {
    log.splice(0, Infinity, ...other);
    return true;
  },
  "an older session's record"({ log, from, older, random }) {
    const at = pick(log, from, random);
    log[at] = older[at];
    return true;
  },
  "an older session's rest"({ log, from, older, random }) {
    const at = pick(log, from, random);
    // a session as a whole, from its first record on, is one that the key's holder wrote
    if (log[at].s === 0) return undefined;
    log.splice(at, log.length, ...older.slice(at));
    return true;
  },
  "an older session in force"(attack) {
    if (attack.from < 2) return undefined;
    attack.session = attack.older.find(({ s }) => s === 0);
    return true;
  },
  "start in the middle"(attack) {
    const { log, from, random } = attack;
    if (from > 0) return undefined;
    attack.session = log.find(({ s }) => s === 0);
    attack.skip = pick(log, log.indexOf(attack.session!) + 1, random);
    return true;
  },
  "plaintext in place of sealed"({ log, from, random }) {
    const at = pick(log, from, random);
    const texts = log[at].texts ?? [""];
    const lines = texts.map((content) => JSON.stringify({ type: "token", content }));
    log.splice(at, 1, ...lines.map((line) => ({ ...log[at], line })));
    return true;
  },
  async "v1 in place of v2"({ log, from, key, random }) {
    const at = pick(log, from, random);
    const texts = log[at].texts ?? ["forged"];
    const line = JSON.stringify({ type: "token", content: texts[0] });
    log[at] = { ...log[at], line: await encryptMessage(key, line) };
    return true;
  },
  "a relay that knows v1 only"(attack) {
    attack.oldRelay = true;
    return true;
  },
  "success shown as failing"({ log, from }) {
    const at = log.findIndex(({ final }) => final);
    if (at < from) return undefined;
    const sealed = JSON.parse(log[at].line);
    log[at] = { by: "r", line: JSON.stringify({ type: "status", state: "failing", sealed }) };
    return true;
  },
  "a short record"({ log, from, random }) {
    const entry = log[pick(log, from, random)];
    const bytes = new Uint8Array(random.between(0, 40));
    const { e, s, final = false } = entry;
    return change(log, entry, encodeSealed({ epoch: e!, seq: s!, final, bytes }));
  },
  "no base64"({ log, from, random }) {
    const entry = log[pick(log, from, random)];
    return change(log, entry, JSON.stringify({ ...JSON.parse(entry.line), d: "§" }));
  },
  // --- what a relay may say, and gains nothing by ---
  "false restart"({ log, from, random }) {
    const line = '{"type":"status","state":"restarted","attempt":2,"ts":1}';
    log.splice(random.between(from, log.length - 1), 0, { by: "r", line });
    return false;
  },
  "false status"({ log, from, random }) {
    const line = oneOf(random, [
      '{"type":"status","state":"done"}',
      '{"type":"status","state":"failing","details":{"stderr":"forged"}}',
      '{"type":"gap","from":0,"to":1}',
    ]);
    log.splice(random.between(from, log.length - 1), 0, { by: "s", line });
    return false;
  },
};

/** Whether a reader of the log can know that the record is missing. */
function isMissed(log: Entry[], { e = 0, s = 0 }: Entry): boolean {
  if (log.some((entry) => entry.e === e && entry.s! > s)) return true;
  const next = log.find((entry) => entry.e === e + 1 && entry.s === 0);
  return next === undefined || !next.restarts;
}

/** The offset of a producer's record that the reader will ask for. */
function pick(log: Entry[], from: number, random: Random): number {
  const offsets = [...log.keys()].filter((at) => at >= from && log[at].by === "p");
  return oneOf(random, offsets);
}

function change(log: Entry[], entry: Entry, line: string): true {
  log[log.indexOf(entry)] = { ...entry, line };
  return true;
}

function oneOf<T>(random: Random, choices: readonly T[]): T {
  return choices[random.between(0, choices.length - 1)];
}
