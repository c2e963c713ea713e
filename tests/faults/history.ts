/**
 * What was written and what was read, and the proof that they agree.
 *
 * @module
 */
import type { StreamResult } from "../../stream/mod.ts";

/** How a stream was meant to end. */
export type Intent = "done" | "fail" | "vanish";

/** One stream's history. */
export interface History {
  /** Its number. */
  stream: number;
  /** How many tokens its producer handed over. */
  written: number;
  /** How it was meant to end. */
  intent: Intent;
  /** The tokens its consumer got, in order. */
  read: number[];
  /** Why the producer's word was refused, if it was. */
  refused?: string;
  /** How it ended for the consumer. */
  result?: StreamResult;
}

/** What the checker counted, over all streams. */
export interface Verdict {
  /** Tokens that were handed over and not read, where the stream was meant to be read to its end. */
  lost: number;
  /** Tokens that were read twice. */
  duplicated: number;
  /** Tokens that were read before one that was written earlier. */
  reordered: number;
  /** Streams that ended otherwise than they were meant to. */
  falseEnds: number;
  /** One line a stream that is wrong. */
  complaints: string[];
}

/**
 * Checks histories.
 *
 * @param histories One a stream.
 * @returns What is wrong with them.
 */
export function check(histories: History[]): Verdict {
  const verdict: Verdict = { lost: 0, duplicated: 0, reordered: 0, falseEnds: 0, complaints: [] };
  for (const { stream, written, intent, read, refused, result } of histories) {
    const seen = new Set<number>();
    let highest = -1;
    let [duplicated, reordered] = [0, 0];
    for (const token of read) {
      if (seen.has(token)) duplicated++;
      else if (token < highest) reordered++;
      seen.add(token);
      highest = Math.max(highest, token);
    }
    // what a producer that vanished had not seen acknowledged may be missing at the tail, never within
    const whole = intent === "vanish" ? highest + 1 : written;
    const lost = whole - seen.size;
    const expected = { done: "completed", fail: "job_failed", vanish: "producer_lost" }[intent];
    const falseEnd = result?.reason !== expected || refused !== undefined;
    verdict.lost += lost;
    verdict.duplicated += duplicated;
    verdict.reordered += reordered;
    if (falseEnd) verdict.falseEnds++;
    if (lost || duplicated || reordered || falseEnd) {
      verdict.complaints.push(
        `stream ${stream} (${intent}): ${written} written, ${read.length} read, ${lost} lost, ` +
          `${duplicated} doubled, ${reordered} out of order, ended ${result?.reason}: ${
            result?.error?.message ?? ""
          }${refused === undefined ? "" : `; its producer was told: ${refused}`}`,
      );
    }
  }
  return verdict;
}
