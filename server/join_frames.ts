/**
 * Fewer, larger frames for whoever catches up.
 *
 * @module
 */
import type { StoredFrame } from "./store/store.ts";

/** Most records of a joined frame. */
const MAX_RECORDS = 512;

/** Most UTF-16 units of a joined frame; a frame that is larger by itself stays as it is. */
const MAX_UNITS = 64 * 1024;

/**
 * Joins a frame with those behind it that the same writer wrote right after it. A paced stream is
 * committed a record a frame; replayed like that it would cost a message a record.
 *
 * @param frames Frames in order.
 * @param at Which one to begin with.
 * @param room Units that the joined frame may have; the first frame is taken whatever its size.
 * @returns The frame, and which one comes next.
 * @example
 * ```ts
 * import { joinFrames } from "./join_frames.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const frame = { n: 1, text: "{}", origin: "producer", epoch: 1 } as const;
 * const frames = [{ ...frame, first: 4, seq: 0 }, { ...frame, first: 5, seq: 1 }];
 * const joined = { ...frame, first: 4, seq: 0, n: 2, text: "{}\n{}" };
 * assertEquals(joinFrames(frames, 0, 1000), { frame: joined, to: 2 });
 * ```
 */
export function joinFrames(
  frames: readonly StoredFrame[],
  at: number,
  room: number,
): { frame: StoredFrame; to: number } {
  const head = frames[at];
  const bound = Math.min(room, MAX_UNITS);
  let { n } = head;
  let units = head.text.length;
  let to = at + 1;
  for (; to < frames.length && follows(head, n, frames[to]); to++) {
    const next = frames[to];
    units += next.text.length + 1;
    if (n + next.n > MAX_RECORDS || units > bound) break;
    n += next.n;
  }
  if (to === at + 1) return { frame: head, to };
  const text = frames.slice(at, to).map((frame) => frame.text).join("\n");
  return { frame: { ...head, n, text }, to };
}

function follows(head: StoredFrame, n: number, next: StoredFrame): boolean {
  if (next.first !== head.first + n || next.origin !== head.origin) return false;
  return head.origin !== "producer" ||
    (next.epoch === head.epoch && next.seq === (head.seq ?? 0) + n);
}
