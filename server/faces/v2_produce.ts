/**
 * The v2 face of a producer: claim, frames, acknowledgements, cancel.
 *
 * @module
 */
import {
  type ClientHello,
  type CloseKind,
  decodeControl,
  decodeProducerFrame,
  encodeControl,
  isFrame,
  StreamError,
} from "../../stream/mod.ts";
import type { Channel } from "../channel.ts";
import type { Peer } from "../peer.ts";
import type { ProducerLink } from "../producer_link.ts";
import type { RelayContext } from "../relay_context.ts";
import type { AppendBatch, Writer } from "../store/store.ts";
import type { Grant } from "../tokens.ts";
import { refuse, type Session } from "./peer_gate.ts";
import { pong } from "./pong.ts";

/**
 * Begins a producer's session.
 *
 * @param context The relay.
 * @param peer The producer's connection.
 * @param id The channel.
 * @param hello Its first message.
 * @param grant What its credential allows.
 * @returns The session.
 */
export async function produceV2(
  context: RelayContext,
  peer: Peer,
  id: string,
  hello: ClientHello,
  grant: Grant,
): Promise<Session> {
  const { instance, continues } = hello;
  if (
    typeof instance !== "string" || instance.length < 1 || instance.length > 128
  ) {
    throw new StreamError(
      "bad_request",
      "Cannot take hello: expected an instance of 1 to 128 characters",
    );
  }
  return await context.channels.use(id, grant, "produce", async (channel) => {
    const claim = await channel.claim(instance, continues);
    const session = new ProducerSession(context, peer, channel, instance, claim.epoch);
    peer.send(encodeControl({
      hello: {
        v: 2,
        incarnation: channel.incarnation,
        epoch: claim.epoch,
        next: claim.next,
        window: context.window,
        sync: context.store.sync,
        maxMessage: context.maxMessage,
        cancel: channel.cancel,
        end: channel.end,
        ping: true,
      },
    }));
    if (channel.end) session.finish();
    return session;
  }, { incarnation: hello.incarnation });
}

class ProducerSession implements Session, ProducerLink {
  readonly face = "v2";
  readonly epoch: number;
  #context: RelayContext;
  #peer: Peer;
  #channel: Channel;
  #instance: string;
  #leave: (vanished: boolean) => void;
  #finished = false;
  /** The seq that is to be acknowledged. */
  #owed?: number;

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
  }

  message(text: string): void {
    if (this.#finished) return;
    if (isFrame(text)) {
      this.#append(text);
      return;
    }
    const control = decodeControl(text);
    if (pong(this.#peer, control)) return;
    if (control.hello || !Object.keys(control).length) {
      throw new StreamError(
        "bad_request",
        "Cannot take message: expected a frame after the hello",
      );
    }
  }

  closed(): void {
    this.#leave(!this.#finished);
  }

  cancel(cancel: NonNullable<Channel["cancel"]>): boolean {
    this.#peer.send(encodeControl({ cancel }));
    return true;
  }

  fence(): void {
    this.#fail(
      new StreamError("fenced", "A newer producer has claimed the channel"),
    );
  }

  ended(): void {
    this.finish();
  }

  gone(why: StreamError): void {
    this.#fail(why);
  }

  /** Tells the verdict and says goodbye. */
  finish(): void {
    this.#acknowledge();
    this.#finished = true;
    if (this.#channel.end) {
      this.#peer.send(encodeControl({ end: this.#channel.end }));
    }
    this.#peer.close(1000, "");
    // however long the other side takes to close, it is no producer any more
    this.#leave(false);
  }

  #append(message: string): void {
    try {
      const { header, text } = decodeProducerFrame(message);
      const { n, e, s, close } = header;
      const writer: Writer = { origin: "producer", id: this.#instance, epoch: e, seq: s, span: n };
      const batch = { n, text };
      const done = close === undefined ? this.#channel.appendNow(writer, batch) : undefined;
      if (done === undefined) this.#appendLater(writer, batch, close);
      else this.#owe(done.nextSeq!);
    } catch (error) {
      this.#fail(error);
    }
  }

  async #appendLater(writer: Writer, batch: AppendBatch, close?: CloseKind): Promise<void> {
    try {
      const { nextSeq } = await this.#channel.append(writer, batch, close);
      this.#owe(nextSeq!);
      if (close === undefined || this.#finished) return;
      this.finish();
    } catch (error) {
      this.#fail(error);
    }
  }

  /**
   * An acknowledgement waits until the readers of what came with this frame were served: a microtask comes
   * behind the messages of other clients that are there already. Not longer: with it goes TCP's own, for
   * which a client that sends small packets has to wait.
   */
  #owe(next: number): void {
    if (this.#owed === undefined) queueMicrotask(this.#acknowledge);
    this.#owed = next;
  }

  #acknowledge = (): void => {
    if (this.#owed === undefined) return;
    this.#peer.send(`{"ack":{"next":${this.#owed},"window":${this.#context.window}}}`);
    this.#owed = undefined;
  };

  #fail(error: unknown): void {
    if (this.#finished) return;
    this.#acknowledge();
    // what was in flight behind the refused frame must not be answered any more
    this.#finished = true;
    refuse(this.#context, this.#peer, 2, error);
    this.#leave(!(error instanceof StreamError && error.code === "fenced"));
  }
}
