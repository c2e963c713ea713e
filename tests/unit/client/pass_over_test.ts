/** Going on in the middle of an encrypted record. @module */
import { assertEquals } from "@std/assert";
import { passOver } from "../../../client/pass_over.ts";
import type { EventBatch, StreamEvent } from "../../../stream/mod.ts";
import { test } from "../../tools/test.ts";

const session = (next: number, epoch = 1) => ({ epoch, next, salt: "s" });
const token = (content: string): StreamEvent => ({ type: "token", content });
const sealed = (epoch: number, seq: number, ...texts: string[]): EventBatch => ({
  events: texts.map(token),
  session: session(seq + 1, epoch),
});
const status = (next: number): EventBatch => ({
  events: [{ type: "status", state: "running" }],
  session: session(next),
});

async function skips(...batches: EventBatch[]): Promise<(number | undefined)[]> {
  const stopped = { session: session(3), skip: 2 };
  const found: (number | undefined)[] = [];
  for await (const { skip } of passOver(ReadableStream.from(batches), stopped)) found.push(skip);
  return found;
}

test("passOver - of the record alone, once", async () => {
  assertEquals(await skips(sealed(1, 3, "a", "b", "c"), sealed(1, 4, "d", "e", "f")), [
    2,
    undefined,
  ]);
});

test("passOver - what a relay puts before it counts for nothing", async () => {
  const found = await skips(status(3), status(3), sealed(1, 3, "a", "b", "c"));
  assertEquals(found, [undefined, undefined, 2]);
});

test("passOver - a stream that has started over meanwhile is read whole", async () => {
  assertEquals(await skips(sealed(2, 0, "a", "b"), sealed(2, 1, "c", "d", "e")), [
    undefined,
    undefined,
  ]);
});

test("passOver - a failure without a place passes", async () => {
  assertEquals(await skips({ events: [token("x")] }, sealed(1, 3, "a", "b", "c")), [undefined, 2]);
});
