/**
 * One pass over a source, read by several.
 *
 * @module
 */
import type { EventBatch, TokenStreamSource } from "./token_source.ts";

interface Branch {
  queue: EventBatch[];
  left: boolean;
}

/**
 * Several reads of a source that can be read only once. Whoever is furthest ahead pulls; it waits while
 * the slowest branch lies `bound` batches behind. A branch that is left holds nobody.
 *
 * @param source The source.
 * @param count How many reads.
 * @param bound How many batches are kept for a branch.
 * @returns As many `read` functions, each for one pass.
 */
export function shareSource(
  source: TokenStreamSource,
  count: number,
  bound: number,
): (() => AsyncIterable<EventBatch>)[] {
  const branches: Branch[] = Array.from(
    { length: count },
    () => ({ queue: [], left: false }),
  );
  const iterator = source.read()[Symbol.asyncIterator]();
  let ended = false;
  let failure: { error: unknown } | undefined;
  let pulling: Promise<void> | undefined;
  let wake: (() => void)[] = [];
  const changed = () => new Promise<void>((resolve) => wake.push(resolve));
  const notify = () => {
    const waiting = wake;
    wake = [];
    for (const resolve of waiting) resolve();
  };

  async function pull(): Promise<void> {
    try {
      const next = await iterator.next();
      if (next.done) ended = true;
      else {for (const branch of branches) {
          if (!branch.left) branch.queue.push(next.value);
        }}
    } catch (error) {
      ended = true;
      failure = { error };
    } finally {
      pulling = undefined;
      notify();
    }
  }

  async function* read(
    branch: Branch,
  ): AsyncGenerator<EventBatch, void, undefined> {
    try {
      for (;;) {
        const batch = branch.queue.shift();
        if (batch) {
          notify();
          yield batch;
        } else if (ended) {
          if (failure) throw failure.error;
          return;
        } else if (
          branches.some((other) => !other.left && other.queue.length >= bound)
        ) {
          await changed();
        } else {
          await (pulling ??= pull());
        }
      }
    } finally {
      branch.left = true;
      branch.queue = [];
      notify();
      if (branches.every((other) => other.left)) await iterator.return?.();
    }
  }

  return branches.map((branch) => () => read(branch));
}
