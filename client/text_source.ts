/**
 * Text out of whatever a program gives, to be piped into a stream.
 *
 * @module
 */

/** What can be piped: text or bytes, as an async iterable or as a web stream. */
export type PipeSource =
  | AsyncIterable<string | Uint8Array>
  | ReadableStream<string>
  | ReadableStream<Uint8Array>;

/**
 * The text of a source, piece by piece as it comes. Bytes are taken as UTF-8 and a character is never
 * split. When the signal fires the source is let go of and the signal's reason is thrown, even while the
 * source is silent.
 *
 * @param source Where the text comes from.
 * @param signal Ends it.
 * @yields Text that is not empty.
 */
export async function* readText(
  source: PipeSource,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const iterator = iterate(source);
  // one listener and one slot: a race with one lasting promise would collect a reaction for every piece
  let interrupt: ((reason: unknown) => void) | undefined;
  const onAbort = () => interrupt?.(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  let drained = false;
  try {
    for (;;) {
      signal.throwIfAborted();
      const next = await new Promise<IteratorResult<string | Uint8Array>>(
        (resolve, reject) => {
          interrupt = reject;
          iterator.next().then(resolve, reject);
        },
      );
      if (next.done) break;
      const text = typeof next.value === "string"
        ? decoder.decode() + next.value
        : decoder.decode(next.value, { stream: true });
      if (text !== "") yield text;
    }
    drained = true;
    const rest = decoder.decode();
    if (rest !== "") yield rest;
  } finally {
    signal.removeEventListener("abort", onAbort);
    if (!drained) {
      // not waited for: an async generator that hangs in its own `next` would never answer
      Promise.resolve(iterator.return?.()).catch(() => {});
    }
  }
}

function iterate(source: PipeSource): AsyncIterator<string | Uint8Array> {
  if (Symbol.asyncIterator in source) {
    return (source as AsyncIterable<string | Uint8Array>)
      [Symbol.asyncIterator]();
  }
  // Safari's streams can't be iterated
  const reader = (source as ReadableStream<string | Uint8Array>).getReader();
  return {
    async next() {
      const { done, value } = await reader.read();
      return done ? { done, value: undefined } : { done: false, value };
    },
    async return() {
      await reader.cancel();
      return { done: true, value: undefined };
    },
  };
}
