/** Reads a stream's events to their end. @module */
import { assert } from "@std/assert";
import type { StreamEvent } from "../../../stream/mod.ts";

/** All of them. */
export async function collect(
  events: AsyncIterable<StreamEvent>,
): Promise<StreamEvent[]> {
  const all: StreamEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

/** Code and message of the error they end with. */
export async function failure(
  events: AsyncIterable<StreamEvent>,
): Promise<[string, string]> {
  const last = (await collect(events)).at(-1);
  assert(last?.type === "error");
  return [last.code, last.message];
}
