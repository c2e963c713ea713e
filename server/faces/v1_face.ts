/**
 * The v1 face, for the clients of the Python package: one message a record, forwarded as it is.
 *
 * @module
 */
import {
  type ChannelEnd,
  decodeV1Auth,
  isPlainV1,
  randomId,
  readV1Message,
  renderV1End,
  StreamError,
} from "../../stream/mod.ts";
import type { Channel } from "../channel.ts";
import type { ProducerLink } from "../channel_links.ts";
import type { Peer } from "../peer.ts";
import type { ReaderSink } from "../reader.ts";
import { PEER_QUEUE_BYTES, type RelayContext } from "../relay_context.ts";
import type { StoredFrame } from "../store/store.ts";
import type { Grant } from "../tokens.ts";
import { refuse, type Session } from "./peer_gate.ts";

/**
 * Begins a v1 producer's session.
 *
 * @param context The relay.
 * @param peer The producer's connection.
 * @param id The channel.
 * @param grant What its credential allows.
 * @returns The session.
 */
export async function produceV1(
  context: RelayContext,
  peer: Peer,
  id: string,
  grant: Grant,
): Promise<Session> {
  return await context.channels.use(id, grant, "produce", async (channel) => {
    if (channel.producer?.face === "v1") {
      throw new StreamError("conflict", "Producer already connected for this channel");
    }
    const instance = randomId();
    const { epoch } = await channel.claim(instance);
    return new V1ProducerSession(context, peer, channel, instance, epoch);
  });
}

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
    return { message: () => {}, closed: leave };
  });
}

/** An encrypted message; the verdict may be inside. */
const SEALED = /^\s*\{\s*"type"\s*:\s*"enc"/;

class V1ProducerSession implements Session, ProducerLink {
  readonly face = "v1";
  readonly epoch: number;
  #context: RelayContext;
  #peer: Peer;
  #channel: Channel;
  #instance: string;
  #leave: (vanished: boolean) => void;
  #first = true;
  #last = "";
  #finished = false;
  #seq = 0;
  #pending: string[] = [];
  #ends?: "done" | "error";
  #committing?: Promise<void>;

  constructor(
    context: RelayContext,
    peer: Peer,
    channel: Channel,
    instance: string,
    epoch: number,
  ) {
    this.#context = context;
    this.#peer = peer;
    this.#channel = channel;
    this.#instance = instance;
    this.epoch = epoch;
    this.#leave = channel.attachProducer(this);
    if (channel.cancel) this.cancel();
  }

  message(text: string): void {
    if (this.#first) {
      this.#first = false;
      // a client that has a secret says it, also to a relay that asks for none
      if (decodeV1Auth(text) !== undefined) return;
    }
    // after its end a Python producer still sends a done
    if (this.#ends || this.#finished) return;
    if (isPlainV1(text)) return this.#take(text);
    const { line, ends } = readV1Message(text);
    this.#ends = ends;
    this.#take(line);
  }

  closed(code: number): void {
    this.#settle(code).finally(() => this.#leave(!this.#finished && !this.#ends));
  }

  cancel(): boolean {
    // v1 has no word for it: a closed socket makes its next send fail, so this is its last record
    if (this.#ends || this.#finished) return false;
    this.#ends = "error";
    this.#take(JSON.stringify({
      type: "error",
      code: "cancelled",
      message: "The stream was cancelled on request",
      ts: Date.now(),
    }));
    this.#peer.close(1000, "Cancelled");
    return true;
  }

  fence(): void {
    this.#finished = true;
    this.#peer.close(4001, "Another producer has connected for this channel");
  }

  ended(): void {
    this.#finished = true;
    this.#peer.close(1000, "");
    this.#leave(false);
  }

  gone(): void {
    this.ended();
  }

  #take(line: string): void {
    this.#last = line;
    if (this.#committing === undefined && this.#ends === undefined && this.#takeNow(line)) return;
    this.#pending.push(line);
    if (this.#committing === undefined) this.#commit();
  }

  /** Commits a line where that takes no time; this runs for every message. */
  #takeNow(line: string): boolean {
    const { epoch } = this;
    const writer = {
      origin: "producer" as const,
      id: this.#instance,
      epoch,
      seq: this.#seq,
      span: 1,
    };
    if (!this.#channel.appendNow(writer, { n: 1, text: line })) return false;
    this.#seq++;
    return true;
  }

  /** Commits what came, and whatever comes meanwhile after it. */
  #commit(): void {
    const lines = this.#pending;
    this.#pending = [];
    const n = lines.length;
    const last = lines[n - 1];
    const seq = this.#seq;
    this.#seq += n;
    this.#committing = this.#channel.append(
      { origin: "producer", id: this.#instance, epoch: this.epoch, seq, span: n },
      { n, text: n === 1 ? last : lines.join("\n") },
      this.#ends,
    ).then(this.#committed, this.#refused);
  }

  /** Commits what came meanwhile. */
  #committed = (): void => {
    this.#committing = undefined;
    if (this.#pending.length > 0) this.#commit();
  };

  #refused = (error: unknown): void => {
    this.#committing = undefined;
    if (this.#finished) return;
    this.#finished = true;
    refuse(this.#context, this.#peer, 1, error);
  };

  /** After encrypted messages a proper close is the end; the verdict is inside them. */
  async #settle(code: number): Promise<void> {
    // what came before the close is stored before anything is made of the close
    while (this.#committing !== undefined) await this.#committing;
    if (code === 1000 && SEALED.test(this.#last) && !this.#ends && !this.#finished) {
      this.#finished = true;
      await this.#channel.setEnd("producer", "sealed");
    }
  }
}

/** Bytes sent between two looks at a consumer's queue. */
const ASK_BYTES = 64 * 1024;

class V1Sink implements ReaderSink {
  /** Disconnects the consumer from its channel. */
  leave: () => void = () => {};
  #context: RelayContext;
  #peer: Peer;
  #unasked = 0;

  constructor(context: RelayContext, peer: Peer) {
    this.#context = context;
    this.#peer = peer;
  }

  room(): number {
    // asking the socket costs as much as sending: it is asked once in so many bytes
    if (this.#unasked < ASK_BYTES) return ASK_BYTES;
    const room = PEER_QUEUE_BYTES - this.#peer.bufferedAmount;
    if (room > 0) this.#unasked = 0;
    return room;
  }

  wakes(): boolean {
    return false;
  }

  frame({ n, text, first }: StoredFrame, from: number): void {
    this.#unasked += text.length;
    if (n === 1) return this.#peer.send(text);
    for (const line of text.split("\n").slice(from - first)) {
      this.#peer.send(line);
    }
  }

  gap(from: number, to: number): void {
    this.#peer.send(JSON.stringify({ type: "gap", from, to }));
  }

  ended(end: ChannelEnd): void {
    for (const message of renderV1End(end)) this.#peer.send(message);
    this.#peer.close(1000, "");
    this.leave();
  }

  failed(error: unknown): void {
    refuse(this.#context, this.#peer, 1, error);
  }
}
