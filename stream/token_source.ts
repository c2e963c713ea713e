/**
 * Where the events of a token stream come from.
 *
 * @module
 */
import type { DoneEvent, ErrorEvent, StreamEvent } from "./event.ts";
import type { SessionPoint } from "./opening_session.ts";
import type { CancelAck } from "./v2_control.ts";

/** Events that arrived together. */
export interface EventBatch {
  /** The events, in order. */
  events: StreamEvent[];
  /** Offset of the first one, when they stand in a channel's log; each next one is one further. */
  offset?: number;
  /** Offset behind the last one, where events and records are not one to one: an encrypted record holds several. */
  next?: number;
  /** Where the reader stands behind the last one, where the stream is encrypted (v2). */
  session?: SessionPoint;
  /** How many of the events, from the first on, were read before: they are passed over. */
  skip?: number;
}

/** Where reading begins in a channel. */
export interface ReadPlace {
  /** The next offset wanted. */
  offset: number;
  /** The session there, where the stream is encrypted (v2). */
  session?: SessionPoint;
  /** How many events from there on were read before: an encrypted record may hold several. */
  skip?: number;
}

/** What is known of the job behind a stream. */
export interface JobInfo {
  /** The scheduler's id. */
  id?: string;
  /** The node it runs on. */
  node?: string;
  /** Its state, as the latest `status` event told. */
  state?: string;
}

/** Where a `TokenStream` gets its events from. */
export interface TokenStreamSource {
  /**
   * Reads from the start. Each pass ends with exactly one `done` or `error`; leaving early lets go of
   * what the pass holds.
   */
  read(): AsyncIterable<EventBatch>;
  /** Whether `read()` may be called again for a pass of its own, as a relay allows. */
  rereadable?: boolean;
  /** Asks that whatever makes the tokens stop. */
  cancel?(reason?: string): Promise<CancelAck>;
  /** The end, for sources that learn of it even when nobody reads. Must not reject. */
  ended?: Promise<DoneEvent | ErrorEvent>;
  /** The channel, once known, for `resumeToken`. */
  channel?(): { channel: string; incarnation: string } | undefined;
  /** Where `read()` begins, for `resumeToken`; at offset 0 by default. */
  from?: ReadPlace;
  /** Facts about the job that stand in no event. */
  job?(): JobInfo;
}
