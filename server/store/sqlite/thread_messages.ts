/**
 * What the sqlite store and its thread say to each other. Answers come in the order of the questions.
 *
 * @module
 */
import type { SyncMode } from "../store.ts";

/** A frame as a row: channel, first, n, origin (0 producer, 1 supervisor, 2 relay), epoch, seq, size, text. */
export type FrameRow = [
  channel: number,
  first: number,
  n: number,
  origin: number,
  epoch: number | null,
  seq: number | null,
  size: number,
  text: string,
];

/** Frames as they are read back. */
export interface ReadFrames {
  /** First, n, origin, epoch, seq (-1 for none) and size of each, in one flat list. */
  rows: number[];
  /** Their texts, joined by LF, as UTF-8. */
  text: Uint8Array<ArrayBuffer>;
}

/** A channel's tail as a row; `claimed` is the seq wanted next of its newest claim. */
export type TailRow = [
  channel: number,
  first: number,
  next: number,
  bytes: number,
  claimed: number,
  streamSeq: string | null,
];

/** All that goes into one transaction, in the order in which it is done. */
export interface Batch {
  /** Channels that go. */
  gone: number[];
  /** Channels: number, name, state as JSON. */
  channels: [number, string, string][];
  /** Their tails. */
  tails: TailRow[];
  /** New frames. */
  frames: FrameRow[];
  /** Inputs; `null` where it goes. */
  inputs: [number, Uint8Array | null][];
  /** Frames before an offset of a channel are no longer wanted. */
  trims: [channel: number, before: number][];
  /** The frames of one channel from an offset on, up to another, copied to a new one. */
  forks: [to: number, from: number, first: number, at: number][];
  /** When the relay was last alive, in milliseconds since 1970. */
  alive?: number;
}

/** What is asked of the thread. */
export type ThreadRequest =
  | { ask: "open"; file: string; sync: SyncMode; wait: number }
  | { ask: "migrate"; sql: string }
  | { ask: "load"; numbers?: number[] }
  | { ask: "commit"; batch: Batch }
  | { ask: "read"; channel: number; from: number; maxBytes: number }
  | { ask: "measure"; channel: number; first: number; before: number }
  | { ask: "input"; channel: number }
  | { ask: "close" };

/** What is known of a file once it is open. */
export interface OpenedFile {
  /** Its schema version; 0 for an empty file. */
  version: number;
  /** Whose file it says it is. */
  application: number;
  /** How many tables and indexes it has. */
  objects: number;
}

/** A channel as it was last committed. */
export interface LoadedChannel {
  /** Its number. */
  number: number;
  /** Its name. */
  id: string;
  /** What changes seldom, as JSON. */
  state: string;
  /** First offset that is still there. */
  first: number;
  /** The tail. */
  next: number;
  /** Size of its records. */
  bytes: number;
  /** The seq wanted next of its newest claim. */
  claimed: number;
  /** The greatest `Stream-Seq` so far. */
  stream_seq: string | null;
}

/** All channels as they were last committed. */
export interface Loaded {
  /** The channels, oldest first. */
  channels: LoadedChannel[];
  /** When the relay was last alive. */
  alive: number;
  /** No channel has this number or a greater one. */
  free: number;
}

/** How much of a channel lies before an offset, in whole frames. */
export interface Measured {
  /** Where the frame that holds the offset begins. */
  boundary: number;
  /** Size of the frames before it. */
  bytes: number;
  /** Size of what of that frame lies before the offset. */
  partial: number;
}

/** What the thread answers. */
export type ThreadAnswer =
  | { value: unknown }
  | { failed: string; errcode: number };
