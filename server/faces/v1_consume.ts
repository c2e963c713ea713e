/**
 * Consumers on the v1 face, the clients of the Python package: one record a message, forwarded as it is.
 *
 * @module
 */
import { type ChannelEnd, renderV1End, type StreamError } from "../../stream/mod.ts";
import type { Channel } from "../channel.ts";
import type { Peer } from "../peer.ts";
import type { ReaderSink } from "../reader.ts";
import type { RelayContext } from "../relay_context.ts";
import type { StoredFrame } from "../store/store.ts";
import type { Grant } from "../tokens.ts";
import { refuse, type Session } from "./peer_gate.ts";
import { PeerSink } from "./peer_sink.ts";

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
  return await context.channels.use(
    id,
    grant,
    "consume",
    (channel) => new V1ConsumerSession(context, peer, channel),
  );
}

/**
 * Milliseconds that a client of a relay which asks for no secret has to say its own nevertheless: Python's
 * does so before it reads, and would take a goodbye that came earlier for a failure.
 */
const UNASKED_MS = 1_000;

class V1ConsumerSession extends PeerSink implements Session, ReaderSink {
  #context: RelayContext;
  #leave: () => void;
  /** Whether the client has said what it says first. */
  #heard: boolean;
  #goodbye?: ReturnType<typeof setTimeout>;

  constructor(context: RelayContext, peer: Peer, channel: Channel) {
    super(peer);
    this.#context = context;
    this.#heard = !context.insecure;
    const { reader, leave } = channel.attachReader(this, 0);
    this.#leave = leave;
    reader.pump();
  }

  message(): void {
    this.#heard = true;
    if (this.#goodbye !== undefined) this.#sayGoodbye();
  }

  closed(): void {
    clearTimeout(this.#goodbye);
    this.#leave();
  }

  wakes(): boolean {
    return false;
  }

  frame({ n, text, first }: StoredFrame, from: number): void {
    if (n === 1) return this.send(text);
    const lines = text.split("\n");
    for (let at = from - first; at < lines.length; at++) this.send(lines[at]);
  }

  gap(from: number, to: number): void {
    this.peer.send(JSON.stringify({ type: "gap", from, to }));
  }

  ended(end: ChannelEnd): void {
    for (const message of renderV1End(end)) this.peer.send(message);
    this.#leave();
    if (this.#heard) this.peer.close(1000, "");
    else this.#goodbye = setTimeout(() => this.#sayGoodbye(), UNASKED_MS);
  }

  failed(error: unknown): void {
    refuse(this.#context, this.peer, 1, error);
  }

  gone({ code, message }: StreamError): void {
    this.#leave();
    // v1 knows no close code for that: it is told like any failing end
    const end: ChannelEnd = { kind: "error", by: "relay", code, message, ts: Date.now() };
    for (const text of renderV1End(end)) this.peer.send(text);
    this.peer.close(1000, "");
  }

  #sayGoodbye(): void {
    clearTimeout(this.#goodbye);
    this.peer.close(1000, "");
  }
}
