/**
 * The producer of a channel, as the channel sees it.
 *
 * @module
 */
import type { CancelRequest, ChannelEnd, StreamError } from "../stream/mod.ts";

/** The producer that is connected now. */
export interface ProducerLink {
  /** Which face it came by; a second v1 producer is refused while a first is there. */
  face: "v1" | "v2" | "http" | "pipe";
  /** Its claim's epoch. */
  epoch: number;
  /** Tells it that a cancel was asked for. Returns whether it can be told now. */
  cancel(cancel: CancelRequest): boolean;
  /** Tells it that a newer producer has taken its place. */
  fence(): void;
  /** Tells it the end, when somebody else set it. */
  ended(end: ChannelEnd): void;
  /** Tells it that the channel is gone, or the relay about to go. */
  gone(why: StreamError): void;
}
