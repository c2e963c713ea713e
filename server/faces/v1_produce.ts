/**
 * Producers on the v1 face, the clients of the Python package: one message a record, kept as it is.
 *
 * @module
 */
import { decodeV1Auth, isPlainV1, randomId, readV1Message, StreamError } from "../../stream/mod.ts";
import { type Channel, TRY_AGAIN_MS } from "../channel.ts";
import type { Peer } from "../peer.ts";
import type { ProducerLink } from "../producer_link.ts";
import type { RelayContext } from "../relay_context.ts";
import type { AppendBatch, Writer } from "../store/store.ts";
import type { Grant } from "../tokens.ts";
import { afterTurn } from "./after_turn.ts";
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
 * Most messages of one turn of the event loop, and UTF-16 units of them, that are committed together:
 * under load a turn brings hundreds, and a commit for each is what costs most.
 */
const BURST_RECORDS = 256;
const BURST_UNITS = 32 * 1024;

/** UTF-16 units that may wait for the store: v1 has no word for making its producer wait. */
const WAITING_UNITS = 16 * 1024 * 1024;
/** UTF-16 units after which what waited becomes another frame. */
const FRAME_UNITS = 256 * 1024;

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
  /** UTF-16 units of them. */
  #units = 0;
  /** The millisecond in which a message came that found nothing waiting. */
  #at = -Infinity;
  #ends?: "done" | "error";
  #committing?: Promise<void>;
  #trying?: { writer: Writer; batch: AppendBatch };
  /** Ends the wait for a store that takes nothing. */
  #goOn: () => void = () => {};

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
    this.#goOn();
    this.#peer.close(4001, "Another producer has connected for this channel");
  }

  ended(): void {
    this.#finished = true;
    this.#goOn();
    this.#peer.close(1000, "");
    this.#leave(false);
  }

  gone(): void {
    this.ended();
  }

  #take(line: string): void {
    this.#last = line;
    if (this.#committing === undefined && this.#pending.length === 0) {
      // the first of a millisecond is taken for lone, and goes at once; a finer clock costs more than it tells
      const now = Date.now();
      const isAlone = now !== this.#at;
      this.#at = now;
      if (isAlone || this.#ends !== undefined) return this.#commit(1, line);
      afterTurn(this.#burstOver);
    }
    this.#pending.push(line);
    this.#units += line.length;
    if (this.#committing !== undefined) return this.#bound();
    const full = this.#pending.length >= BURST_RECORDS || this.#units >= BURST_UNITS;
    if (full || this.#ends !== undefined) this.#commitPending();
  }

  /** The turn is over: what came in it is committed together. */
  #burstOver = (): void => {
    if (this.#pending.length > 0 && this.#committing === undefined) this.#commitPending();
  };

  #commitPending(): void {
    let lines = this.#pending;
    if (this.#units <= FRAME_UNITS) {
      this.#pending = [];
      this.#units = 0;
    } else {
      let [count, units] = [0, 0];
      while (units < FRAME_UNITS) units += lines[count++].length;
      this.#units -= units;
      lines = lines.splice(0, count);
    }
    this.#commit(lines.length, lines.join("\n"));
  }

  /**
   * Commits lines, and whatever comes meanwhile after them. No array is made for a lone line: V8 takes
   * such arrays for long-lived, and what lies about in its old space makes every collection longer.
   */
  #commit(n: number, text: string): void {
    if (this.#finished) return;
    const seq = this.#seq;
    this.#seq += n;
    const writer: Writer = {
      origin: "producer",
      id: this.#instance,
      epoch: this.epoch,
      seq,
      span: n,
    };
    const batch = { n, text };
    try {
      if (this.#ends === undefined && this.#channel.appendNow(writer, batch) !== undefined) {
        return this.#committed();
      }
    } catch (error) {
      return this.#refused(error);
    }
    this.#trying = { writer, batch };
    this.#append();
  }

  #append(): void {
    const { writer, batch } = this.#trying!;
    // an end that came meanwhile stands in a later batch
    const ends = this.#pending.length === 0 ? this.#ends : undefined;
    this.#committing = this.#channel.append(writer, batch, ends)
      .then(this.#committed, this.#refused);
  }

  /** Commits what came meanwhile. */
  #committed = (): void => {
    this.#committing = undefined;
    if (this.#pending.length > 0) this.#commitPending();
  };

  #refused = (error: unknown): void => {
    this.#committing = undefined;
    if (this.#finished) return;
    if (error instanceof StreamError && error.code === "overloaded" && this.#trying) {
      this.#committing = this.#wait();
      return;
    }
    this.#finished = true;
    refuse(this.#context, this.#peer, 1, error);
  };

  /** A v1 producer can't come back and go on: what it sent waits here for the store to take it. */
  async #wait(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, TRY_AGAIN_MS);
      this.#goOn = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#committing = undefined;
    if (!this.#finished) this.#append();
  }

  #bound(): void {
    if (this.#units <= WAITING_UNITS || this.#finished) return;
    this.#finished = true;
    this.#goOn();
    const error = `More than ${WAITING_UNITS} bytes wait for the store, which takes nothing now`;
    refuse(this.#context, this.#peer, 1, new StreamError("overloaded", error));
  }

  /** After encrypted messages a proper close is the end; the verdict is inside them. */
  async #settle(code: number): Promise<void> {
    // what came before the close is stored before anything is made of the close
    this.#burstOver();
    while (this.#committing !== undefined) await this.#committing;
    if (code === 1000 && SEALED.test(this.#last) && !this.#ends && !this.#finished) {
      this.#finished = true;
      await this.#channel.setEnd("producer", "sealed");
    }
  }
}
