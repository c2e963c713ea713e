/**
 * What a face speaks to: one end of a WebSocket, whatever transport carries it.
 *
 * @module
 */

/** One WebSocket client, as the faces see it. */
export interface Peer {
  /** Queues a text message; nothing happens once the peer is closed. */
  send(text: string): void;
  /** Bytes queued and not yet handed to the network. */
  readonly bufferedAmount: number;
  /** Says goodbye with a code and a reason of at most 123 bytes. */
  close(code: number, reason: string): void;
  /** Drops the connection without a word, where the transport can. */
  terminate(): void;
  /** Who hears what it says; set by the face. */
  listener?: PeerListener;
}

/** Who hears a {@linkcode Peer}: one object, for it is fetched from memory with every message. */
export interface PeerListener {
  /** Takes every message. */
  message(data: string | Uint8Array): void;
  /** Told once when the connection is gone. */
  closed(code: number, reason: string): void;
}

/** The request that opened a {@linkcode Peer}'s connection. */
export interface PeerRequest {
  /** Path and query. */
  url: URL;
  /** The headers, read before the upgrade. */
  headers: Headers;
  /** Address of the client, for the log. */
  remote: string;
}

/** Takes a new peer; sets its `listener` before it returns, where it wants to hear more of it. */
export type PeerHandler = (peer: Peer, request: PeerRequest) => void;

/** The longest reason a close frame can carry is 123 bytes of UTF-8; ours are cut to fit. */
export function closeReason(reason: string): string {
  const bytes = new TextEncoder().encode(reason);
  if (bytes.length <= 123) return reason;
  return new TextDecoder().decode(bytes.subarray(0, 120)).replace(
    /\uFFFD+$/,
    "",
  ) + "…";
}
