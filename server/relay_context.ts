/**
 * What every face of a relay is given.
 *
 * @module
 */
import type { AuditTrail } from "./audit.ts";
import type { Channels } from "./channels.ts";
import type { Logger } from "./log.ts";
import type { PageRule } from "./page_rules.ts";
import type { Peers } from "./peers.ts";
import type { Store } from "./store/store.ts";
import type { Grant } from "./tokens.ts";

/** A relay, as its faces see it. */
export interface RelayContext {
  /** Its channels. */
  channels: Channels;
  /** Where they are kept. */
  store: Store;
  /** Finds out what a credential, shown from an address, allows; everything, on an insecure relay. */
  authenticate(credential: string | undefined, from: string): Promise<Grant>;
  /** Whether it asks for no credentials. */
  insecure: boolean;
  /** Signs the tokens it hands out. */
  secret: string;
  /** Largest message and request body, in bytes. */
  maxMessage: number;
  /** Bytes a producer may have sent and not seen acknowledged. */
  window: number;
  /** Milliseconds within which a client's first message must come. */
  authTimeout: number;
  /** Milliseconds without a POST after which an HTTP producer counts as gone. */
  postTimeout: number;
  /** Refuses what a browser page may not ask, by the request's `Origin` and `Host`. */
  refusal: PageRule;
  /** Every connected WebSocket, so that a closing relay can say goodbye. */
  peers: Peers;
  /** Makes no new channels from now on, and ends the relay within so many seconds, or its own default. */
  drain(seconds?: number): void;
  /** Where it is noted who did what. */
  audit: AuditTrail;
  /** Where what happens is told. */
  log: Logger;
}

/** The most bytes queued to a peer; beyond them the relay stops sending, and the reader goes on from its offset. */
export const PEER_QUEUE_BYTES: number = 1024 * 1024;

/** Whether a text is within a bound in UTF-8, without encoding it where its length already tells. */
export function fits(text: string, bytes: number): boolean {
  if (text.length > bytes) return false;
  if (text.length * 3 <= bytes) return true;
  return new TextEncoder().encode(text).length <= bytes;
}
