/**
 * The event reader by itself: over a socket bytes may be joined again on the
 * way, here every cut is certain to be made.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { eventData } from "../../../examples/lm/sse.ts";

function read(text: string, size: number): Promise<string[]> {
  const bytes = new TextEncoder().encode(text);
  const slices: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    slices.push(bytes.slice(at, at + size));
  }
  return Array.fromAsync(eventData(ReadableStream.from(slices)));
}

Deno.test("sse - every cut and every line end give the same events", async () => {
  const text = "\uFEFF: hello\n\ndata: añ世🌍\n\nid: 1\ndata:two\ndata:  lines\n\n" +
    "event: ping\n\ndata\n\ndata: last\n";
  const expected = ["añ世🌍", "two\n lines", "", "last"];
  for (const newline of ["\n", "\r\n", "\r"]) {
    for (let size = 1; size <= 12; size++) {
      const events = await read(text.replaceAll("\n", newline), size);
      assertEquals(events, expected, `${JSON.stringify(newline)} by ${size}`);
    }
  }
});

Deno.test("sse - an event without end does not fill memory", async () => {
  const mebibyte = "x".repeat(1 << 20);
  await assertRejects(() => read(`data: ${mebibyte}x`, 65536), RangeError);
  const lines = `data: ${"x".repeat(1000)}\n`.repeat(1100);
  await assertRejects(() => read(lines, 65536), RangeError);
});
