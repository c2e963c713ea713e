/**
 * The way in that every WebSocket face shares: bounds, binary, time-out, and turning errors into closes.
 *
 * @module
 */
import { CODES, encodeControl, StreamError } from "../../stream/mod.ts";
import type { Peer, PeerListener, PeerRequest } from "../peer.ts";
import { fits, type RelayContext } from "../relay_context.ts";

/** Most that may come of a client while its first message is looked at. */
const EARLY_UNITS = 4 * 1024 * 1024;

/** What a face makes of a peer once its first message came. */
export interface Session {
  /** Takes every later text message. */
  message(text: string): void;
  /** Told when the connection is gone. */
  closed(code: number): void;
  /** How much it was sent so far, in about bytes, where it reads. */
  readonly sent?: number;
}

/** How a face differs from the others. */
export interface GateOptions {
  /** Whether errors are told by a control message and v2 close codes, or by v1's close codes alone. */
  version: 1 | 2;
  /** Takes the first message, or `undefined` for a face that needs none, and begins the session. */
  begin(first: string): Promise<Session>;
  /** Begins at once, before any message, where the face allows that. */
  eager?: () => Promise<Session> | undefined;
}

/**
 * Leads a peer in.
 *
 * @param context The relay.
 * @param peer The peer.
 * @param request What it asked for.
 * @param options How the face differs.
 */
export function admit(
  context: RelayContext,
  peer: Peer,
  request: PeerRequest,
  options: GateOptions,
): void {
  const gate = new Gate(context, peer, options);
  peer.listener = gate;
  const refusal = context.refusal(request.headers);
  if (refusal) {
    context.audit.refused(refusal, request.remote, {});
    return gate.fail(refusal);
  }
  const begun = options.eager?.();
  if (begun) gate.start(begun);
}

/** What is needed on the way in alone. A connection may last for days, and keeps none of this. */
interface Arrival {
  begin: GateOptions["begin"];
  /** Refuses whoever says nothing. */
  timer: ReturnType<typeof setTimeout>;
  /** Whether the first message is being looked at. */
  beginning: boolean;
  /** Messages that came meanwhile: a v1 producer waits for no answer. */
  early: string[];
  /** UTF-16 units of them. */
  units: number;
  /** How it was closed, if it has gone meanwhile. */
  gone?: number;
}

/** A peer on its way in, and after it: what its session gets, and what becomes of an error. */
class Gate implements PeerListener {
  #context: RelayContext;
  #peer: Peer;
  #version: 1 | 2;
  #refused = false;
  #session?: Session;
  #arrival?: Arrival;

  constructor(context: RelayContext, peer: Peer, { version, begin }: GateOptions) {
    this.#context = context;
    this.#peer = peer;
    this.#version = version;
    const timer = setTimeout(() => this.#late(), context.authTimeout);
    this.#arrival = { begin, timer, beginning: false, early: [], units: 0 };
    context.peers.add(peer);
  }

  message(data: string | Uint8Array): void {
    if (this.#refused) return;
    try {
      if (typeof data !== "string") {
        this.#deny();
        this.#peer.close(1003, "Cannot take binary: expected text messages");
        return;
      }
      const { maxMessage } = this.#context;
      if (!fits(data, maxMessage)) {
        throw new StreamError(
          "too_large",
          `Cannot take message: it is longer than ${maxMessage} bytes`,
        );
      }
      if (this.#session !== undefined) this.#session.message(data);
      else this.#arrive(this.#arrival!, data);
    } catch (error) {
      this.fail(error);
    }
  }

  closed(code: number): void {
    this.#context.peers.delete(this.#peer);
    this.#session?.closed(code);
    if (this.#arrival === undefined) return;
    clearTimeout(this.#arrival.timer);
    this.#arrival.gone = code;
  }

  /** Refuses it. What it sent before it saw the close must do nothing any more. */
  fail(error: unknown): void {
    this.#deny();
    refuse(this.#context, this.#peer, this.#version, error);
  }

  /** Waits for its session; what comes meanwhile is kept for it. */
  start(begun: Promise<Session>): void {
    const arrival = this.#arrival!;
    arrival.beginning = true;
    clearTimeout(arrival.timer);
    begun.then((session) => {
      this.#session = session;
      this.#arrival = undefined;
      try {
        for (const text of arrival.early) session.message(text);
      } finally {
        // a short stream may be over by now, and every word of it counts
        if (arrival.gone !== undefined) session.closed(arrival.gone);
      }
    }).catch((error) => {
      this.#arrival = undefined;
      this.fail(error);
    });
  }

  #arrive(arrival: Arrival, text: string): void {
    if (!arrival.beginning) return this.start(arrival.begin(text));
    arrival.units += text.length;
    if (arrival.units > EARLY_UNITS) {
      throw new StreamError(
        "overloaded",
        `More than ${EARLY_UNITS} bytes came before the first message was looked at`,
      );
    }
    arrival.early.push(text);
  }

  #deny(): void {
    this.#refused = true;
    // a session that is about to begin has still to learn how it ended
    if (this.#arrival === undefined || this.#arrival.beginning) return;
    clearTimeout(this.#arrival.timer);
    this.#arrival = undefined;
  }

  #late(): void {
    this.fail(
      new StreamError(
        this.#version === 1 ? "unauthorized" : "timeout",
        "The first message did not come in time, expected a credential",
      ),
    );
  }
}

/**
 * Tells a peer what was wrong, and closes.
 *
 * @param context The relay.
 * @param peer The peer.
 * @param version Which protocol it speaks.
 * @param error What was thrown; anything but a `StreamError` is a defect of ours and told as such.
 */
export function refuse(
  context: RelayContext,
  peer: Peer,
  version: 1 | 2,
  error: unknown,
): void {
  if (!(error instanceof StreamError)) {
    context.log("error", "A connection failed", { error: String(error) });
  }
  const told = error instanceof StreamError
    ? error
    : new StreamError("internal", "Something went wrong in the relay");
  const row = CODES[told.code];
  if (version === 2) {
    peer.send(encodeControl({ error: told.toJSON() }));
    peer.close("close" in row ? row.close : 4500, told.message);
  } else {
    peer.close("closeV1" in row ? row.closeV1 : 1011, told.message);
  }
}
