/**
 * The v2 face of a consumer: frames from an offset on, flow control, the end, cancel.
 *
 * @module
 */
import {
  type ChannelEnd,
  type ClientHello,
  decodeControl,
  encodeControl,
  StreamError,
} from "../../stream/mod.ts";
import type { Channel } from "../channel.ts";
import type { Peer } from "../peer.ts";
import type { Reader, ReaderSink } from "../reader.ts";
import type { RelayContext } from "../relay_context.ts";
import { sessionInForce, type SessionRecord } from "../sealed_records.ts";
import type { StoredFrame } from "../store/store.ts";
import { demand, type Grant } from "../tokens.ts";
import { refuse, type Session } from "./peer_gate.ts";
import { PeerSink } from "./peer_sink.ts";
import { pong } from "./pong.ts";

/**
 * Begins a consumer's session.
 *
 * @param context The relay.
 * @param peer The consumer's connection.
 * @param id The channel.
 * @param hello Its first message.
 * @param grant What its credential allows.
 * @returns The session.
 */
export async function consumeV2(
  context: RelayContext,
  peer: Peer,
  id: string,
  hello: ClientHello,
  grant: Grant,
): Promise<Session> {
  const from = count(hello.from ?? 0, "from");
  const credit = hello.credit === undefined ? Infinity : count(hello.credit, "credit");
  return await context.channels.use(
    id,
    grant,
    "consume",
    async (channel) => {
      const session = await sessionInForce(context.store, id, from);
      return new ConsumerSession(context, peer, channel, grant, from, credit, session);
    },
    { incarnation: hello.incarnation },
  );
}

function count(value: unknown, name: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) {
    return value;
  }
  throw new StreamError(
    "bad_request",
    `Cannot take hello: ${name} is ${JSON.stringify(value)}, expected a whole number from 0`,
  );
}

function reasonOf({ reason }: { reason?: unknown }): string | undefined {
  if (reason === undefined || (typeof reason === "string" && reason.length <= 4096)) {
    return reason;
  }
  throw new StreamError(
    "bad_request",
    "Cannot take cancel: expected a reason of at most 4096 characters, or none",
  );
}

class ConsumerSession extends PeerSink implements Session, ReaderSink {
  #context: RelayContext;
  #channel: Channel;
  #grant: Grant;
  #reader: Reader;
  #leave: () => void;
  #credit: number;

  constructor(
    context: RelayContext,
    peer: Peer,
    channel: Channel,
    grant: Grant,
    from: number,
    credit: number,
    session: SessionRecord | undefined,
  ) {
    super(peer);
    this.#context = context;
    this.#channel = channel;
    this.#grant = grant;
    this.#credit = credit;
    const { reader, leave } = channel.attachReader(this, from);
    this.#reader = reader;
    this.#leave = leave;
    peer.send(encodeControl({
      hello: {
        v: 2,
        incarnation: channel.incarnation,
        from,
        next: channel.next,
        sync: context.store.sync,
        producer: channel.connected.producer,
        cancel: channel.cancel,
        ping: true,
      },
    }));
    if (session !== undefined) {
      const { offset, epoch, line } = session;
      this.send(`{"n":1,"o":${offset},"by":"p","e":${epoch},"s":0,"re":1}\n${line}`);
    }
    reader.pump();
  }

  // --- what the consumer says ---

  message(text: string): void {
    const control = decodeControl(text);
    const { credit, cancel } = control;
    if (credit) {
      this.#credit = count(credit.bytes, "credit");
      this.#reader.pump();
    } else if (cancel) {
      this.#cancel(reasonOf(cancel));
    } else if (!pong(this.peer, control)) {
      throw new StreamError(
        "bad_request",
        "Cannot take message: expected credit or cancel",
      );
    }
  }

  closed(): void {
    this.#leave();
  }

  async #cancel(reason?: string): Promise<void> {
    try {
      demand(this.#grant, "cancel", this.#channel);
      const { cancel, ack } = await this.#channel.requestCancel(
        "consumer",
        reason,
      );
      this.#context.audit.note("cancelled", this.#grant, {
        channel: this.#channel.id,
        by: "consumer",
        face: "v2",
      });
      this.peer.send(JSON.stringify({ cancel: { ...cancel, ack } }));
    } catch (error) {
      // reading goes on: the wish alone was refused
      const told = StreamError.from(error);
      this.peer.send(JSON.stringify({ cancel: { error: told.toJSON() } }));
    }
  }

  // --- what the reader brings ---

  override room(): number {
    return Math.min(this.#credit - this.sent, super.room());
  }

  wakes(): boolean {
    // without credit it is the consumer's turn
    return this.sent >= this.#credit;
  }

  frame(frame: StoredFrame, from: number): void {
    const skip = from - frame.first;
    const n = frame.n - skip;
    const text = skip === 0 ? frame.text : frame.text.split("\n").slice(skip).join("\n");
    // put together by hand: this runs for every frame
    const head = frame.origin === "producer"
      ? `{"n":${n},"o":${from},"by":"p","e":${frame.epoch},"s":${(frame.seq ?? 0) + skip}}\n`
      : `{"n":${n},"o":${from},"by":"${frame.origin === "supervisor" ? "s" : "r"}"}\n`;
    this.send(head + text);
  }

  gap(from: number, to: number): void {
    const record = JSON.stringify({ type: "gap", from, to });
    this.send(`{"n":1,"o":${to - 1},"by":"r"}\n${record}`);
  }

  ended(end: ChannelEnd): void {
    this.peer.send(encodeControl({ end }));
    this.peer.close(1000, "");
    this.#leave();
  }

  failed(error: unknown): void {
    refuse(this.#context, this.peer, 2, error);
  }

  gone(why: StreamError): void {
    this.#leave();
    refuse(this.#context, this.peer, 2, why);
  }
}
