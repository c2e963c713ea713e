/**
 * Joins a signal to a stream.
 *
 * @module
 */
import type { TokenStream } from "../stream/token_stream.ts";

/**
 * Cancels a stream when a signal fires, as long as it has not ended.
 *
 * @param signal The signal; its reason is the cancel's.
 * @param stream The stream.
 * @param ended Resolves at the stream's end.
 */
export function cancelBy(
  signal: AbortSignal,
  stream: TokenStream,
  ended: Promise<unknown>,
): void {
  const cancel = () => {
    const { reason } = signal;
    // a cancel that reaches nobody shows in the stream's end
    stream.cancel(reason instanceof Error ? reason.message : String(reason))
      .catch(() => {});
  };
  if (signal.aborted) return cancel();
  signal.addEventListener("abort", cancel, { once: true });
  ended.then(() => signal.removeEventListener("abort", cancel));
}
