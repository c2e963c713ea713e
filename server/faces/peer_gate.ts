/**
 * The way in that every WebSocket face shares: bounds, binary, time-out, and turning errors into closes.
 *
 * @module
 */
import { CODES, encodeControl, StreamError } from "../../stream/mod.ts";
import type { Peer, PeerRequest } from "../peer.ts";
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
  const { version } = options;
  let session: Session | undefined;
  let beginning = false;
  let gone: number | undefined;
  let refused = false;
  // messages that came while the first one was still being looked at: a v1 producer waits for no answer
  const early: string[] = [];
  let earlyUnits = 0;
  context.peers.add(peer);
  const fail = (error: unknown) => {
    // what it sent before it saw the close must do nothing any more
    refused = true;
    refuse(context, peer, version, error);
  };
  const timer = setTimeout(
    () =>
      fail(
        new StreamError(
          version === 1 ? "unauthorized" : "timeout",
          "The first message did not come in time, expected a credential",
        ),
      ),
    context.authTimeout,
  );
  const start = (begun: Promise<Session>) => {
    beginning = true;
    clearTimeout(timer);
    begun.then((started) => {
      session = started;
      try {
        for (const text of early.splice(0)) session.message(text);
      } finally {
        // a short stream may be over by now, and every word of it counts
        if (gone !== undefined) session.closed(gone);
      }
    }).catch(fail);
  };
  peer.message = (data) => {
    if (refused) return;
    try {
      if (typeof data !== "string") {
        refused = true;
        peer.close(1003, "Cannot take binary: expected text messages");
        return;
      }
      if (!fits(data, context.maxMessage)) {
        throw new StreamError(
          "too_large",
          `Cannot take message: it is longer than ${context.maxMessage} bytes`,
        );
      }
      if (session) session.message(data);
      else if (!beginning) start(options.begin(data));
      else if ((earlyUnits += data.length) <= EARLY_UNITS) early.push(data);
      else {
        throw new StreamError(
          "overloaded",
          `More than ${EARLY_UNITS} bytes came before the first message was looked at`,
        );
      }
    } catch (error) {
      fail(error);
    }
  };
  peer.closed = (code) => {
    gone = code;
    clearTimeout(timer);
    context.peers.delete(peer);
    session?.closed(code);
  };
  const refusal = context.refusal(request.headers);
  if (refusal) {
    context.audit.refused(refusal, request.remote, {});
    return fail(refusal);
  }
  const begun = options.eager?.();
  if (begun) start(begun);
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
