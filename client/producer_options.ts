/**
 * What a producer is told.
 *
 * @module
 */
import type { Usage } from "../stream/mod.ts";
import type { ClientOptions } from "./client_options.ts";

/** Options of a `RelayProducer`. */
export interface ProducerOptions extends Omit<ClientOptions, "protocol"> {
  /**
   * `v2`, `v1`, `http` (records go by POST), or `auto` (the default): v2; v1 with a relay that doesn't
   * know v2, as Python's; `http` where no WebSocket can be opened and the relay answers over HTTP.
   */
  protocol?: ClientOptions["protocol"] | "http";
  /** Bytes (UTF-16 units) kept for sending again after a cut; beyond them `token()` waits. 4 MiB by default. */
  maxBuffer?: number;
  /** Milliseconds without an awaited acknowledgement after which the connection is taken for dead; 30,000 by default. */
  ackTimeout?: number;
  /** Milliseconds between two signs of life where records go by POST; 15,000 by default. */
  heartbeat?: number;
  /** Id of this process; a random one by default. A newer instance fences the older ones. */
  instance?: string;
  /** What this producer truly continues: the epoch of the one before, and its committed records. */
  continues?: { epoch: number; count: number };
}

/** What `RelayProducer.done` may tell. */
export interface DoneOptions {
  /** Why it stopped; `completed` by default. */
  reason?: "completed" | "length";
  /** Numbers. */
  usage?: Usage;
  /** Anything else. */
  meta?: Record<string, unknown>;
}

/** What `RelayProducer.fail` may be given in place of a thrown value. */
export interface Failure {
  /** A code of the table; `job_failed` by default. */
  code?: string;
  /** One sentence. */
  message: string;
  /** Facts. */
  details?: Record<string, unknown>;
}
