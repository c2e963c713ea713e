import { assertEquals } from "@std/assert";
import { joinFrames } from "../../../server/join_frames.ts";
import type { StoredFrame } from "../../../server/store/store.ts";

function joinAll(frames: StoredFrame[], room = Infinity): StoredFrame[] {
  const joined: StoredFrame[] = [];
  for (let at = 0; at < frames.length;) {
    const { frame, to } = joinFrames(frames, at, room);
    joined.push(frame);
    at = to;
  }
  return joined;
}

function frames(count: number, more: Partial<StoredFrame> = {}): StoredFrame[] {
  return Array.from({ length: count }, (_, at) => ({
    first: at,
    n: 1,
    text: `{"at":${at}}`,
    origin: "producer" as const,
    epoch: 1,
    seq: at,
    ...more,
  }));
}

Deno.test("join frames - the records and their places stay the same", () => {
  const all = frames(1300);
  const joined = joinAll(all);
  assertEquals(joined.map(({ n }) => n), [512, 512, 276]);
  assertEquals(joined.map(({ first }) => first), [0, 512, 1024]);
  assertEquals(joined.map(({ seq }) => seq), [0, 512, 1024]);
  assertEquals(joined.map(({ text }) => text).join("\n"), all.map(({ text }) => text).join("\n"));
});

Deno.test("join frames - another writer, epoch or seq begins a frame", () => {
  const [a, b, c, d, e] = frames(5);
  const joined = joinAll([
    a,
    { first: 1, n: 1, text: "{}", origin: "supervisor" },
    { first: 2, n: 1, text: "{}", origin: "supervisor" },
    { ...b, first: 3, epoch: 2, seq: 0 },
    { ...c, first: 4, epoch: 2, seq: 1 },
    { ...d, first: 5, epoch: 2, seq: 7 },
    { ...e, first: 9, epoch: 2, seq: 8 },
  ]);
  assertEquals(joined.map(({ first, n }) => [first, n]), [[0, 1], [1, 2], [3, 2], [5, 1], [9, 1]]);
});

Deno.test("join frames - a frame grows to its bound and no further", () => {
  const large = "x".repeat(40_000);
  const joined = joinAll(frames(4, { text: large }));
  assertEquals(joined.length, 4);
  assertEquals(joinAll(frames(4), 1).length, 4);
});
