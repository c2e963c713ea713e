/**
 * Consumers on the v1 face, the clients of the Python package: one record a message, forwarded as it is.
 *
 * @module
 */
import { type ChannelEnd, renderV1End } from "../../stream/mod.ts";
import type { Peer } from "../peer.ts";
import type { ReaderSink } from "../reader.ts";
import { PEER_QUEUE_BYTES, type RelayContext } from "../relay_context.ts";
import type { StoredFrame } from "../store/store.ts";
import type { Grant } from "../tokens.ts";
import { refuse, type Session } from "./peer_gate.ts";

/**
 * Begins a v1 consumer's session.
 *
 * @param context The relay.
 * @param peer The consumer's connection.
 * @param id The channel.
 * @param grant What its credential allows.
 * @returns The session.
 */
export async function consumeV1(
  context: RelayContext,
  peer: Peer,
  id: string,
  grant: Grant,
): Promise<Session> {
  return await context.channels.use(id, grant, "consume", (channel) => {
    const sink = new V1Sink(context, peer);
    const { reader, leave } = channel.attachReader(sink, 0, ({ code, message }) => {
      leave();
      // v1 knows no close code for that: it is told like any failing end
      const end: ChannelEnd = { kind: "error", by: "relay", code, message, ts: Date.now() };
      for (const text of renderV1End(end)) peer.send(text);
      peer.close(1000, "");
    });
    sink.leave = leave;
    reader.pump();
    return {
      message: () => sink.heard(),
      closed: () => {
        sink.gone();
        leave();
      },
      sent: () => sink.sent,
    };
  });
}

/**
 * Milliseconds that a client of a relay which asks for no secret has to say its own nevertheless: Python's
 * does so before it reads, and would take a goodbye that came earlier for a failure.
 */
const UNASKED_MS = 1_000;

/** Bytes sent between two looks at a consumer's queue. */
const ASK_BYTES = 64 * 1024;

class V1Sink implements ReaderSink {
  /** Disconnects the consumer from its channel. */
  leave: () => void = () => {};
  #context: RelayContext;
  #peer: Peer;
  #unasked = 0;
  #asked = 0;
  #heard: boolean;
  #goodbye?: ReturnType<typeof setTimeout>;

  constructor(context: RelayContext, peer: Peer) {
    this.#context = context;
    this.#peer = peer;
    this.#heard = !context.insecure;
  }

  /** How much it was sent, in UTF-16 units of text. */
  get sent(): number {
    return this.#asked + this.#unasked;
  }

  room(): number {
    // asking the socket costs as much as sending: it is asked once in so many bytes
    if (this.#unasked < ASK_BYTES) return ASK_BYTES;
    const room = PEER_QUEUE_BYTES - this.#peer.bufferedAmount;
    if (room > 0) {
      this.#asked += this.#unasked;
      this.#unasked = 0;
    }
    return room;
  }

  wakes(): boolean {
    return false;
  }

  frame({ n, text, first }: StoredFrame, from: number): void {
    this.#unasked += text.length;
    if (n === 1) return this.#peer.send(text);
    const lines = text.split("\n");
    for (let at = from - first; at < lines.length; at++) this.#peer.send(lines[at]);
  }

  gap(from: number, to: number): void {
    this.#peer.send(JSON.stringify({ type: "gap", from, to }));
  }

  ended(end: ChannelEnd): void {
    for (const message of renderV1End(end)) this.#peer.send(message);
    this.leave();
    if (this.#heard) this.#peer.close(1000, "");
    else this.#goodbye = setTimeout(() => this.heard(), UNASKED_MS);
  }

  /** Notes that the client has said what it says first. */
  heard(): void {
    this.#heard = true;
    if (this.#goodbye === undefined) return;
    this.gone();
    this.#peer.close(1000, "");
  }

  /** Notes that the client has gone. */
  gone(): void {
    clearTimeout(this.#goodbye);
    this.#goodbye = undefined;
  }

  failed(error: unknown): void {
    refuse(this.#context, this.#peer, 1, error);
  }
}
