/**
 * What a producer's POST to `…/records` says.
 *
 * @module
 */
import { type CloseKind, StreamError } from "../../stream/mod.ts";
import type { AppendBatch } from "../store/store.ts";
import { readBytes } from "./request_body.ts";

/**
 * Who writes, from the request's headers.
 *
 * @param headers `Producer-Id`, `Producer-Epoch`, `Producer-Seq`.
 * @returns Instance, epoch and seq.
 * @throws {StreamError} `bad_request` naming the header that is wrong.
 */
export function readWriter(
  headers: Headers,
): { id: string; epoch: number; seq: number } {
  const id = headers.get("producer-id") ?? "";
  if (id.length < 1 || id.length > 128) {
    throw new StreamError(
      "bad_request",
      "Cannot read header Producer-Id: expected the instance of 1 to 128 characters that claimed",
    );
  }
  return {
    id,
    epoch: count(headers, "Producer-Epoch", 1),
    seq: count(headers, "Producer-Seq", 0),
  };
}

/** The longest time an answer is held back, in seconds: less than any proxy bears, and than a grace. */
const LONGEST_WAIT = 20;

/**
 * How long the answer to a heartbeat may be held back, from `Prefer: wait=SECONDS` (RFC 7240).
 *
 * @param headers The request's.
 * @returns Milliseconds; 0 without the header.
 */
export function waitOf(headers: Headers): number {
  const seconds = /(?:^|[,;\s])wait=(\d+(?:\.\d+)?)/.exec(headers.get("prefer") ?? "")?.[1];
  return Math.min(Number(seconds ?? 0), LONGEST_WAIT) * 1000;
}

/**
 * The records in a request.
 *
 * @param request Its body is `application/x-ndjson`, n records, or `text/plain`, one token.
 * @param limit Most bytes the body may have.
 * @returns The records and whether the last one is the end; `undefined` for a heartbeat.
 * @throws {StreamError} `bad_request` or `too_large`.
 */
export async function readRecords(
  request: Request,
  limit: number,
): Promise<{ batch: AppendBatch; close?: CloseKind } | undefined> {
  const close = readClose(request.headers);
  const body = new TextDecoder("utf-8", { ignoreBOM: true }).decode(
    await readBytes(request, limit),
  );
  const type = (request.headers.get("content-type") ?? "").split(";")[0].trim()
    .toLowerCase();
  if (body === "") {
    if (close === undefined) return undefined;
    if (close === "done") {
      const text = JSON.stringify({
        type: "done",
        reason: "completed",
        ts: Date.now(),
      });
      return { batch: { n: 1, text }, close };
    }
    throw new StreamError(
      "bad_request",
      `Cannot end with ${close}: expected the record that says how`,
    );
  }
  if (type === "application/x-ndjson" || type === "application/json") {
    return { batch: parseLines(body), close };
  }
  if (type === "text/plain") {
    const lines = [JSON.stringify({ type: "token", content: body })];
    if (close === "error" || close === "sealed") {
      throw new StreamError(
        "bad_request",
        `Cannot end with ${close}: expected application/x-ndjson`,
      );
    }
    if (close === "done") {
      lines.push(
        JSON.stringify({ type: "done", reason: "completed", ts: Date.now() }),
      );
    }
    return { batch: { n: lines.length, text: lines.join("\n") }, close };
  }
  throw new StreamError(
    "bad_request",
    `Cannot take content type ${JSON.stringify(type)}: expected application/x-ndjson or text/plain`,
  );
}

function parseLines(body: string): AppendBatch {
  const lines = body.split("\n");
  if (lines.at(-1) === "") lines.pop();
  const clean = lines.map((line, index) => {
    const text = line.endsWith("\r") ? line.slice(0, -1) : line;
    if (!isObject(text)) {
      throw new StreamError(
        "bad_request",
        `Cannot take records: line ${index + 1} of ${lines.length} is no JSON object`,
      );
    }
    return text;
  });
  return { n: clean.length, text: clean.join("\n") };
}

function isObject(text: string): boolean {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function readClose(headers: Headers): CloseKind | undefined {
  const close = headers.get("producer-close") ?? undefined;
  if (close === undefined || close === "done" || close === "error" || close === "sealed") {
    return close;
  }
  throw new StreamError(
    "bad_request",
    `Cannot read header Producer-Close: it is ${
      JSON.stringify(close)
    }, expected done, error or sealed`,
  );
}

function count(headers: Headers, name: string, least: number): number {
  const text = headers.get(name) ?? "";
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) {
    return value;
  }
  throw new StreamError(
    "bad_request",
    `Cannot read header ${name}: it is ${
      JSON.stringify(text)
    }, expected a whole number from ${least}`,
  );
}
