/**
 * A thread that says how many records are due: a timer of the event loop comes every 2 ms at best, and
 * what is due by then would cross the server as a burst. Sleeping in `Atomics.wait` knows no such grid.
 *
 * @module
 */
/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
import type { Pace } from "./producer_thread.ts";

/** How long it sleeps at least; the kernel adds 0.05 ms. */
const SLEEP_MS = 0.05;

/** A pace, and where to say what is due. */
export interface MetronomeOrder extends Pace {
  /** Takes how many records are due since it was last told. */
  port: MessagePort;
}

const never = new Int32Array(new SharedArrayBuffer(4));

self.onmessage = ({ data: { port, rate, total } }: MessageEvent<MetronomeOrder>) => {
  const began = performance.now();
  for (let told = 0; told < total; Atomics.wait(never, 0, 0, SLEEP_MS)) {
    const due = Math.min(total, Math.floor((performance.now() - began) / 1000 * rate));
    if (due > told) port.postMessage(due - told);
    told = due;
  }
};
