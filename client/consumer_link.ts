/**
 * What brings a channel's events from a relay, in v1 or v2.
 *
 * @module
 */
import type { CancelAck, EventBatch, StreamError, StreamEvent } from "../stream/mod.ts";

/** What a {@linkcode ConsumerLink} calls back. */
export interface ConsumerEvents {
  /** The relay has accepted, for the first time or again. */
  ready(): void;
  /** Events came. `units` is their size; a batch with the end is the last. */
  batch(batch: EventBatch, units: number): void;
  /** It is over without an end. */
  failed(error: StreamError): void;
  /** The relay speaks v1 only; this link is done for. */
  legacy(): void;
}

/** One pass over a channel. */
export interface ConsumerLink {
  /** The channel's incarnation, once known. */
  readonly incarnation?: string;
  /** Begins to connect. */
  start(): void;
  /** The reader has taken so many units. */
  taken(units: number): void;
  /** Asks for a cancel on this connection; `undefined` where that can't be done. */
  cancel(reason?: string): Promise<CancelAck> | undefined;
  /** Lets go of the connection. */
  close(): void;
}

/** Whether an event is the last one of its stream. */
export function isEnd(event: StreamEvent): boolean {
  return event.type === "done" || event.type === "error";
}
