/**
 * What carries a producer's records to a relay: v1, v2, or POST.
 *
 * @module
 */
import { type CancelRequest, StreamError } from "../stream/mod.ts";

/** What a {@linkcode ProducerLink} calls back. */
export interface ProducerEvents {
  /** The relay has accepted this producer, for the first time or again. */
  ready(): void;
  /** Records were acknowledged, or handed over where there are no acknowledgements. */
  progress(): void;
  /** The end was acknowledged. */
  finished(): void;
  /** Somebody asked for a cancel. */
  cancelled(cancel: Partial<CancelRequest>): void;
  /** It is over, and not by `finished`. */
  failed(error: StreamError): void;
}

/** Who is writing, and how patiently. */
export interface ProducerIdentity {
  /** Random id of the producer's process. */
  instance: string;
  /** What its claim continues. */
  continues?: { epoch: number; count: number };
  /** Milliseconds an acknowledgement may take before the connection is taken for dead. */
  ackTimeout: number;
  /** Milliseconds between two signs of life where there is no connection that shows it. */
  heartbeat: number;
}

/** Takes records out of an outbox. */
export interface ProducerLink {
  /** UTF-16 units that were taken out of the outbox and are not acknowledged. */
  readonly pending: number;
  /** Bytes of the largest message the relay takes. */
  readonly maxMessage: number;
  /** Begins to connect. */
  start(): void;
  /** Something was put into the outbox. */
  pump(): void;
  /** Lets go of the connection. */
  close(): void;
}

/** What a producer's signal tells of a cancel. */
export function cancelError(cancel: Partial<CancelRequest>): StreamError {
  const { by = "consumer", reason } = cancel;
  const why = reason === undefined ? "" : `: ${reason}`;
  return new StreamError("cancelled", `The stream was cancelled by the ${by}${why}`, {
    details: { by, ...(reason !== undefined && { reason }) },
  });
}
