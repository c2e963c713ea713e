/**
 * What goes over the control API.
 *
 * @module
 */
import type {
  CancelRequest,
  ChannelEnd,
  CloseKind,
  ErrorCode,
  OnDisconnect,
} from "../stream/mod.ts";

/** What a new channel is to be. */
export interface CreateChannelOptions {
  /** Its name; a random one by default. */
  id?: string;
  /** Seconds it may live without connection, lease or end. */
  ttl?: number;
  /** Whether its records are encrypted end to end. */
  keyed?: boolean;
  /** Most bytes of records it may hold. */
  maxBytes?: number;
  /**
   * What it does when it is full: ends with `limit`, or drops its oldest records and leaves a `gap`; as
   * the relay is configured by default.
   */
  whenFull?: "end" | "drop-oldest";
  /** Seconds of a supervisor's lease that begins at once. */
  lease?: number;
  /** What becomes of the job when the supervisor goes away. */
  onDisconnect?: OnDisconnect;
}

/** A channel that was made. */
export interface CreatedChannel {
  /** Its name. */
  id: string;
  /** Random id of this making of it. */
  incarnation: string;
  /** A token for each role. */
  tokens: {
    /** For the job. */
    produce: string;
    /** For readers. */
    consume: string;
    /** For whoever submitted the job. */
    supervise: string;
    /** For whoever may stop it. */
    cancel: string;
  };
}

/** What the channels of a job array are to be: one a task, all of them alike. */
export interface CreateArrayOptions extends Omit<CreateChannelOptions, "id"> {
  /** The tasks, at most 1,000. */
  tasks: readonly number[];
}

/** The channels of a job array that were made. */
export interface CreatedArray {
  /** What their names begin with: `<id>-<task>`. */
  id: string;
  /** The channels, in the order of the tasks; their `produce` tokens are all the same one. */
  channels: (CreatedChannel & { task: number })[];
}

/** What the relay tells of a channel. */
export interface ChannelStatus {
  /** Its name. */
  id: string;
  /** Random id of this making of it. */
  incarnation: string;
  /** One claim's JSON records, or a stream of the Durable Streams protocol. */
  kind: "exclusive" | "shared";
  /** Media type of its content. */
  contentType: string;
  /** Whether its records are encrypted end to end. */
  keyed: boolean;
  /** When it was made, in milliseconds since 1970. */
  created: number;
  /** First offset that is still there. */
  first: number;
  /** The offset of the next record. */
  next: number;
  /** Bytes of records held. */
  bytes: number;
  /** Most bytes it may hold. */
  maxBytes: number;
  /** Every claim, oldest first. */
  claims: {
    /** Random id of the producer's process. */
    producerId: string;
    /** Counts the claims of the channel, from 1. */
    epoch: number;
    /** The seq wanted next. */
    next: number;
    /** Whether a newer claim has taken its place. */
    fenced: boolean;
  }[];
  /** Its end, once set. */
  end?: ChannelEnd;
  /** The wish that its job stop, once made. */
  cancel?: CancelRequest;
  /** Until when its supervisor's lease runs, in milliseconds since 1970. */
  leaseUntil?: number;
  /** When it expires if nothing touches it, in milliseconds since 1970. */
  expires: number;
  /** Whether a producer is connected. */
  producer: boolean;
  /** How many consumers are connected. */
  consumers: number;
  /** How many supervisors are connected. */
  supervisors: number;
}

/** Records to append by HTTP. */
export interface RecordsRequest {
  /** Random id of the producer's process. */
  instance: string;
  /** Epoch of its claim. */
  epoch: number;
  /** Seq of the first record. */
  seq: number;
  /** Set when the last record ends the stream. */
  close?: CloseKind;
  /** The records; none is a heartbeat. */
  body?: string;
  /** Seconds for which the answer to a heartbeat may be held back until there is a cancel or an end. */
  wait?: number;
  /** How to read the body: a record a line (the default), or one token's text. */
  contentType?: "application/x-ndjson" | "text/plain";
}

/** The answer to records. */
export interface RecordsAnswer {
  /** The seq wanted next. */
  next: number;
  /** Bytes that may be sent beyond. */
  window: number;
  /** The wish to stop, once made. */
  cancel?: CancelRequest;
  /** The end, once set. */
  end?: ChannelEnd;
}

/** The end a supervisor sets. */
export interface EndRequest {
  /** Complete or failed. */
  kind: "done" | "error";
  /** The error's code. */
  code?: ErrorCode;
  /** The error's sentence. */
  message?: string;
  /** The error's facts. */
  details?: Record<string, unknown>;
}
