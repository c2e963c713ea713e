/**
 * The log of an encrypted channel, as honest producers, a supervisor and a relay leave it, with what a
 * reader must make of it.
 *
 * @module
 */
import { SealingSession } from "../../stream/mod.ts";
import type { Random } from "./random.ts";

/** One record of the log. */
export interface Entry {
  /** Who wrote it. */
  by: "p" | "s" | "r";
  /** The record. */
  line: string;
  /** Epoch of a producer's record. */
  e?: number;
  /** Its seq. */
  s?: number;
  /** Whether it is its epoch's last. */
  final?: boolean;
  /** The texts inside. */
  texts?: string[];
  /** Whether the session that it begins starts over. */
  restarts?: boolean;
}

/** What the producers meant. */
export interface Plan {
  /** How many records each epoch has, and how many tokens each of these. */
  epochs: number[][];
  /** Whether an epoch continues the one before. */
  continues: boolean;
  /** How it ends; `undefined` when the last producer vanished. */
  end?: "done" | "error";
}

/** Draws a plan. */
export function draw(random: Random): Plan {
  const epochs = Array.from(
    { length: random.next() < 0.6 ? 1 : 2 },
    () => Array.from({ length: random.between(1, 5) }, () => random.between(1, 4)),
  );
  const chance = random.next();
  const end = chance < 0.8 ? "done" : chance < 0.9 ? "error" : undefined;
  return { epochs, continues: random.next() < 0.5, end };
}

/**
 * Writes a log by a plan. Two logs of one plan have the same shape and share no text.
 *
 * @param plan The plan.
 * @param key The stream's key.
 * @param channel The channel's id.
 * @param name Begins every text, so that texts of different logs can't be mistaken.
 * @returns The log.
 */
export async function write(
  plan: Plan,
  key: string,
  channel: string,
  name: string,
): Promise<Entry[]> {
  const log: Entry[] = [status("queued")];
  let count = 0;
  let number = 0;
  for (const [at, records] of plan.epochs.entries()) {
    const e = at + 1;
    const goesOn = at > 0 && plan.continues;
    const continues = goesOn ? { epoch: at, count } : undefined;
    const session = new SealingSession({ key, channel, epoch: e, continues });
    if (at > 0 && !goesOn) log.push(status("restarted"));
    log.push({ by: "p", e, s: 0, line: await session.begin(), restarts: at > 0 && !goesOn });
    for (const tokens of records) {
      const texts = Array.from({ length: tokens }, () => `${name}${number++} `);
      const lines = texts.map((content) => JSON.stringify({ type: "token", content }));
      log.push({ by: "p", e, s: session.next, line: await session.seal(lines.join("\n")), texts });
    }
    log.push(status("running"));
    if (at === plan.epochs.length - 1 && plan.end !== undefined) {
      const end = plan.end === "done"
        ? { type: "done", reason: "completed" }
        : { type: "error", code: "job_failed", message: "Exit 1" };
      const line = await session.end(JSON.stringify(end));
      log.push({ by: "p", e, s: session.next - 1, line, final: true });
    }
    count = session.next;
  }
  return log;
}

/**
 * The texts that a reader may deliver, by attempt: a session that starts over begins a new one.
 *
 * @param log The honest log.
 * @param from The first offset that is read.
 * @returns The text of each attempt.
 */
export function attempts(log: Entry[], from: number): string[] {
  const texts = [""];
  for (const entry of log.slice(from)) {
    if (entry.restarts) texts.push("");
    texts[texts.length - 1] += entry.texts?.join("") ?? "";
  }
  return texts;
}

function status(state: string): Entry {
  const line = JSON.stringify({ type: "status", state, ts: 1 });
  return { by: state === "queued" ? "s" : "r", line };
}
