/** @module */

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Listens for Ctrl-C and its like.
 *
 * @param listener Called with the signal, every time.
 * @returns Stops listening.
 */
export function onInterrupt(
  listener: (signal: Deno.Signal) => void,
): () => void {
  const listeners = SIGNALS.map((signal) => {
    const heard = () => listener(signal);
    Deno.addSignalListener(signal, heard);
    return () => Deno.removeSignalListener(signal, heard);
  });
  return () => listeners.forEach((remove) => remove());
}
