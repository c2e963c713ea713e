/**
 * What a relay can be told.
 *
 * @module
 */
import type { Audit } from "./audit.ts";
import type { Logger } from "./log.ts";
import type { Store } from "./store/store.ts";
import type { Transport } from "./transport/transport.ts";

/** Options of `serveRelay`. Times are in seconds, sizes in bytes. */
export interface RelayOptions {
  /** Interface to listen on; `127.0.0.1` by default. */
  hostname?: string;
  /** Port to listen on; 8765 by default, 0 for any. */
  port?: number;
  /**
   * What carries it: `Deno.serve` with its own WebSockets (`deno`, the default on loopback), or `ws` on
   * `node:http` (`ws`, the default where strangers connect); or another one.
   */
  transport?: "deno" | "ws" | Transport;
  /** The root secret. Required, unless `insecure`. */
  secret?: string;
  /** Ask nobody for a credential; only on loopback. */
  insecure?: boolean;
  /** Where channels are kept; in memory by default. */
  store?: Store;
  /** TLS certificate chain, PEM. */
  cert?: string;
  /** TLS key, PEM. */
  key?: string;
  /** Most bytes of records a channel may hold; by default 64 MiB in memory, 1 GiB on a disk. */
  maxBuffer?: number;
  /**
   * What a full channel does: end with `limit` (`end`, the default), or drop its oldest records, which
   * leaves a `gap` for whoever had not read them. An encrypted one always ends.
   */
  whenFull?: "end" | "drop-oldest";
  /** Largest message; 256 KiB by default. */
  maxMessage?: number;
  /** How long a channel lives without connection, lease or end; 24 h by default. */
  channelTimeout?: number;
  /** How long it is kept after its end; 24 h by default. */
  retention?: number;
  /** How long a producer may be away before its stream ends, where nobody supervises; 60 by default. */
  producerGrace?: number;
  /** How long a lease still counts after it ran out; 60 by default. */
  leaseGrace?: number;
  /** How long an HTTP producer may be silent; 45 by default. */
  postTimeout?: number;
  /** How long a client may take to say who it is; 10 by default. */
  authTimeout?: number;
  /** How long a silent WebSocket is kept; 30 by default. */
  idleTimeout?: number;
  /** Stop by itself after so long without a connection, a lease or a request; never by default. */
  idleExit?: number;
  /** How long streams may go on once the relay drains; 0 by default. */
  drainTime?: number;
  /** How often expired channels are looked for; 60 by default. */
  sweepInterval?: number;
  /** Most channels that one create token may hold at a time; 1,000 by default. */
  channelsPerToken?: number;
  /** Origins whose pages may connect. By default all may, as they need a credential; on an insecure relay only loopback's, and only under loopback's or these names. */
  allowedOrigins?: string[];
  /** Takes the lines of an audit log: who did what with which channel; there is none by default. */
  audit?: Audit;
  /** Where what happens is told; nowhere by default. */
  log?: Logger;
  /** Stops the relay. */
  signal?: AbortSignal;
}
