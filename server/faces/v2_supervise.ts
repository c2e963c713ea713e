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
import { refuse, type Session } from "./peer_gate.ts";
import type { SupervisorLink } from "../supervision.ts";

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
  const lease = hello.lease ?? DEFAULT_LEASE;
  if (typeof lease !== "number" || !(lease >= 0)) {
    throw new StreamError(
      "bad_request",
      `Cannot take hello: lease is ${JSON.stringify(lease)}, expected seconds from 0`,
    );
  }
  const channel = await context.channels.open(
    id,
    grant,
    "supervise",
    hello.incarnation,
  );
  return new SupervisorSession(
    context,
    peer,
    channel,
    lease,
    hello.onDisconnect,
  );
}

class SupervisorSession implements Session, SupervisorLink {
  #context: RelayContext;
  #peer: Peer;
  #channel: Channel;
  #leave: (released: boolean) => void;

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
      },
    }));
    this.#leave = channel.attachSupervisor(this, lease, onDisconnect);
    if (end) this.ended(end);
  }

  message(text: string): void {
    const { status, lease } = decodeControl(text);
    if (status && typeof status.state === "string") {
      this.#channel.status("supervisor", status).catch((error) =>
        refuse(this.#context, this.#peer, 2, error)
      );
    } else if (lease && typeof lease.seconds === "number") {
      // 0 gives it up, anything else is implied by the open socket
      if (lease.seconds === 0) this.#leave(true);
    } else {
      throw new StreamError(
        "bad_request",
        "Cannot take message: expected a status or a lease",
      );
    }
  }

  closed(): void {
    this.#leave(false);
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
  }

  gone(): void {
    refuse(
      this.#context,
      this.#peer,
      2,
      new StreamError(
        "expired",
        "The channel is gone: its time was over or it was deleted",
      ),
    );
  }
}
