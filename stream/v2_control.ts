/**
 * The one-line controls of the v2 face. Each is a JSON object with a single member, its name.
 *
 * @module
 */
import type { ErrorCode } from "./error_code.ts";
import { StreamError } from "./stream_error.ts";

/** Who ended a channel, or asked for its cancel. */
export type Actor = "producer" | "supervisor" | "relay" | "consumer" | "admin";

/** A channel's one stored verdict. */
export interface ChannelEnd {
  /** What it is; `sealed` when the verdict is inside an encrypted record. */
  kind: "done" | "error" | "sealed";
  /** Who set it. */
  by: Actor;
  /** Offset of the producer's final record, when that record is the end. */
  offset?: number;
  /** The error's code, when the end is an error that stands in no record. */
  code?: ErrorCode;
  /** The error's sentence. */
  message?: string;
  /** The error's facts. */
  details?: Record<string, unknown>;
  /** When it was set, in milliseconds since 1970. */
  ts: number;
}

/** The stored wish that a job stop. */
export interface CancelRequest {
  /** Who asked. */
  by: Actor;
  /** Why, in the asker's words. */
  reason?: string;
  /** When, in milliseconds since 1970. */
  ts: number;
}

/** How far a cancel got when it was answered. */
export type CancelAck = "recorded" | "producer" | "scheduler";

/** What becomes of the job when its supervisor goes away: nothing, or cancel after so many seconds. */
export interface OnDisconnect {
  /** While no producer has connected; the default is `"keep"`. */
  pending?: "keep" | number;
  /** Once one has; the default is 60. */
  running?: "keep" | number;
}

/** First message of every v2 client. */
export interface ClientHello {
  /** Always 2. */
  v: 2;
  /** Token or root secret. */
  auth?: string;
  /** The channel's incarnation, when the client has seen the channel before. */
  incarnation?: string;
  /** Producers: the random id of this process. */
  instance?: string;
  /** Producers: what the new claim truly goes on after; without it, earlier text is void. */
  continues?: { epoch: number; count: number };
  /** Consumers: the first offset wanted; 0 by default. */
  from?: number;
  /** Consumers: how many bytes of frames may be sent before more credit; unlimited when absent. */
  credit?: number;
  /** Supervisors: seconds the lease lasts after the socket is gone. */
  lease?: number;
  /** Supervisors: what their going away does. */
  onDisconnect?: OnDisconnect;
}

/** What the relay answers to a hello it accepts. */
export interface RelayHello {
  /** Always 2. */
  v: 2;
  /** The channel's incarnation. */
  incarnation: string;
  /** How safe an acknowledgement is: `memory`, `normal` (survives kill -9) or `full` (survives power loss). */
  sync: string;
  /** Producers: the seq wanted next. Consumers: the tail. */
  next: number;
  /** Producers: the epoch of the claim. */
  epoch?: number;
  /** Producers: bytes that may be sent before an acknowledgement. */
  window?: number;
  /** Largest message taken, in bytes. */
  maxMessage?: number;
  /** Consumers: where reading starts. */
  from?: number;
  /** Whether a producer is connected. */
  producer?: boolean;
  /** Set when somebody asked for a cancel before. */
  cancel?: CancelRequest;
  /** Set when the channel has ended before. */
  end?: ChannelEnd;
  /** Whether a `ping` is answered. */
  ping?: boolean;
}

/** Every control there is, by name. */
export interface Controls {
  /** First message of each side. */
  hello: ClientHello & Partial<RelayHello>;
  /** To a producer: the seq wanted next, and the bytes it may send beyond. */
  ack: { next: number; window: number };
  /** From a reader: bytes of frames it will have taken in all. */
  credit: { bytes: number };
  /** To a producer or supervisor, or from a consumer that may cancel. */
  cancel: Partial<CancelRequest>;
  /** To everybody: the verdict. */
  end: ChannelEnd;
  /** To everybody, before a close: what was wrong. */
  error: {
    code: ErrorCode;
    message: string;
    details?: Record<string, unknown>;
  };
  /** To a supervisor: what the producer does; from one: a status to append. */
  status: { state: string } & Record<string, unknown>;
  /** From a supervisor: renew for so many seconds. */
  lease: { seconds: number };
  /** From everybody: is the relay still there? */
  ping: Record<never, never>;
  /** The answer to a `ping`. */
  pong: Record<never, never>;
}

/** One control, as an object with a single member. */
export type Control = Partial<Controls>;

/**
 * The control in a message.
 *
 * @param message A text message of the v2 face that is no frame.
 * @returns The control.
 * @throws {StreamError} `bad_request` when it is not a JSON object.
 * @example
 * ```ts
 * import { decodeControl } from "./v2_control.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(decodeControl('{"credit":{"bytes":65536}}').credit?.bytes, 65536);
 * ```
 */
export function decodeControl(message: string): Control {
  let value: unknown;
  try {
    value = JSON.parse(message);
  } catch (cause) {
    throw new StreamError(
      "bad_request",
      "Cannot read message: it is not JSON, expected a control or a frame",
      { cause },
    );
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new StreamError(
      "bad_request",
      "Cannot read message: it is no JSON object, expected a control or a frame",
    );
  }
  return value as Control;
}

/**
 * The message for a control.
 *
 * @param control An object with a single member.
 * @returns One line of JSON.
 * @example
 * ```ts
 * import { encodeControl } from "./v2_control.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(encodeControl({ credit: { bytes: 1 } }), '{"credit":{"bytes":1}}');
 * ```
 */
export function encodeControl(control: Control): string {
  return JSON.stringify(control);
}
