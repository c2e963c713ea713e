/**
 * The v2 face of a supervisor: the lease, what the producer does, statuses of its own.
 *
 * @module
 */
import {
  type CancelRequest,
  type ChannelEnd,
  type ClientHello,
  decodeControl,
  encodeControl,
  type OnDisconnect,
  StreamError,
} from "../../stream/mod.ts";
import type { Channel } from "../channel.ts";
import type { Peer } from "../peer.ts";
import type { RelayContext } from "../relay_context.ts";
import type { Grant } from "../tokens.ts";
import type { SupervisorLink } from "../supervision.ts";
import { leaseBody } from "./control_bodies.ts";
import { refuse, type Session } from "./peer_gate.ts";
import { pong } from "./pong.ts";

/** Seconds a lease lasts after its supervisor went, unless the hello says otherwise. */
export const DEFAULT_LEASE = 600;

/**
 * Begins a supervisor's session.
 *
 * @param context The relay.
 * @param peer The supervisor's connection.
 * @param id The channel.
 * @param hello Its first message.
 * @param grant What its credential allows.
 * @returns The session.
 */
export async function superviseV2(
  context: RelayContext,
  peer: Peer,
  id: string,
  hello: ClientHello,
  grant: Grant,
): Promise<Session> {
  const terms = leaseBody.safeParse({
    seconds: hello.lease ?? DEFAULT_LEASE,
    onDisconnect: hello.onDisconnect,
  });
  if (!terms.success) {
    throw new StreamError(
      "bad_request",
      "Cannot take hello: expected lease in seconds from 0, and onDisconnect " +
        '{pending?, running?} with seconds or "keep"',
    );
  }
  const { seconds, onDisconnect } = terms.data;
  return await context.channels.use(
    id,
    grant,
    "supervise",
    (channel) => new SupervisorSession(context, peer, channel, seconds, onDisconnect),
    { incarnation: hello.incarnation },
  );
}

class SupervisorSession implements Session, SupervisorLink {
  #context: RelayContext;
  #peer: Peer;
  #channel: Channel;
  #leave: (lease?: number) => void;
  #lease: number;

  constructor(
    context: RelayContext,
    peer: Peer,
    channel: Channel,
    lease: number,
    onDisconnect?: OnDisconnect,
  ) {
    this.#context = context;
    this.#peer = peer;
    this.#channel = channel;
    this.#lease = lease;
    const { next, incarnation, cancel, end } = channel;
    const { producer } = channel.connected;
    peer.send(encodeControl({
      hello: {
        v: 2,
        incarnation,
        next,
        sync: context.store.sync,
        producer,
        cancel,
        end,
        ping: true,
      },
    }));
    this.#leave = channel.attachSupervisor(this, lease, onDisconnect);
    if (end) this.ended(end);
  }

  message(text: string): void {
    const control = decodeControl(text);
    const { status, lease } = control;
    if (status && typeof status.state === "string") {
      this.#channel.status("supervisor", status).catch((error) =>
        refuse(this.#context, this.#peer, 2, error)
      );
    } else if (lease && typeof lease.seconds === "number" && lease.seconds >= 0) {
      // while the socket is open it holds; this is for afterwards, and 0 gives it up at once
      this.#lease = lease.seconds;
      if (lease.seconds === 0) this.#leave();
    } else if (!pong(this.#peer, control)) {
      throw new StreamError(
        "bad_request",
        "Cannot take message: expected a status or a lease",
      );
    }
  }

  closed(): void {
    this.#leave(this.#lease);
  }

  status(status: { state: string } & Record<string, unknown>): void {
    this.#peer.send(encodeControl({ status }));
  }

  cancel(cancel: CancelRequest): void {
    this.#peer.send(encodeControl({ cancel }));
  }

  ended(end: ChannelEnd): void {
    this.#peer.send(encodeControl({ end }));
    this.#peer.close(1000, "");
    this.#leave(this.#lease);
  }

  gone(why: StreamError): void {
    refuse(this.#context, this.#peer, 2, why);
  }
}
