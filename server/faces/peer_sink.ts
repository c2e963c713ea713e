/**
 * What all WebSocket consumers have in common: how much one may be sent before it falls behind.
 *
 * @module
 */
import type { Peer } from "../peer.ts";
import { PEER_QUEUE_BYTES } from "../relay_context.ts";

/** UTF-16 units sent between two looks at a consumer's queue. */
const LOOK_UNITS = 64 * 1024;

/** Sends to a consumer, and knows how full its queue is. */
export abstract class PeerSink {
  /** The consumer. */
  protected readonly peer: Peer;
  #sent = 0;
  /** How much was sent when its queue was last seen to have room. */
  #seen = 0;

  /** @param peer The consumer. */
  constructor(peer: Peer) {
    this.peer = peer;
  }

  /** How much it was sent, in UTF-16 units of text. */
  get sent(): number {
    return this.#sent;
  }

  /** Sends what counts for its queue. */
  protected send(text: string): void {
    this.#sent += text.length;
    this.peer.send(text);
  }

  /** How many UTF-16 units its queue takes now, about; none when 0 or less. */
  room(): number {
    // asking the socket costs as much as sending: it is asked once in so many units
    if (this.#sent - this.#seen < LOOK_UNITS) return LOOK_UNITS;
    const room = PEER_QUEUE_BYTES - this.peer.bufferedAmount;
    if (room > 0) this.#seen = this.#sent;
    return room;
  }
}
