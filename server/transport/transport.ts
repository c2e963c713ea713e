/**
 * What carries HTTP and WebSocket for the relay.
 *
 * @module
 */
import type { PeerHandler } from "../peer.ts";

/** What a transport is started with. */
export interface ListenOptions {
  /** Interface to listen on. */
  hostname: string;
  /** Port; 0 for any. */
  port: number;
  /** TLS certificate chain, PEM. */
  cert?: string;
  /** TLS key, PEM. */
  key?: string;
  /** A message beyond this many bytes is refused by the transport itself, if it can. */
  maxMessage: number;
  /** Seconds without a sign of life after which a client is dropped. */
  idleTimeout: number;
  /** Answers plain HTTP. */
  fetch: (request: Request, remote: string) => Response | Promise<Response>;
  /** Takes WebSockets. */
  peer: PeerHandler;
  /** Told of an exception in a handler; the process lives on. */
  failed: (error: unknown) => void;
}

/** Listens, and hands over what comes. */
export type Transport = (options: ListenOptions) => Promise<Listening>;

/** A transport that listens. */
export interface Listening {
  /** The port it got. */
  port: number;
  /** Stops listening and drops what is still connected. */
  close(): Promise<void>;
}
