/**
 * One client's conversation with a relay in v2: hello, what comes after it, and hello again.
 *
 * @module
 */
import {
  type ClientHello,
  type Control,
  decodeControl,
  encodeControl,
  isFrame,
  type RelayHello,
  StreamError,
} from "../stream/mod.ts";
import type { ResolvedOptions } from "./client_options.ts";
import { ReconnectingSocket } from "./reconnecting_socket.ts";

/** What a {@linkcode V2Session} calls back. */
export interface V2Events {
  /** What goes into the hello beside version, credential and incarnation. */
  hello(): Partial<ClientHello>;
  /** The relay has accepted. */
  accepted(hello: RelayHello): void;
  /** A frame came. */
  frame?(message: string): void;
  /** A control came, other than `hello` and `error`. */
  control(control: Control): void;
  /** An `error` control came. Returns whether it answers a request, rather than announces a close. */
  refused?(error: StreamError): boolean;
  /** The connection is gone, another one is being tried. */
  lost?(): void;
  /** The relay closed with 1000. `"over"` when that was expected; by default it is a break. */
  finished?(): "over" | undefined;
  /** It is over. */
  failed(error: StreamError): void;
  /** The relay knows no v2 and v1 may be spoken. */
  legacy?(): void;
  /** None of the relays could be reached, and none ever was; it tries on. */
  unreached?(): void;
}

/** A {@linkcode ReconnectingSocket} that says hello. */
export class V2Session {
  /** The socket underneath. */
  readonly socket: ReconnectingSocket;
  /** The channel's incarnation, once known. */
  incarnation?: string;
  #options: ResolvedOptions;
  #events: V2Events;
  #greeted = false;

  /**
   * @param options The client's options.
   * @param role What comes first in the path: `produce`, `consume` or `supervise`.
   * @param events What to call back.
   */
  constructor(
    options: ResolvedOptions,
    role: "produce" | "consume" | "supervise",
    events: V2Events,
  ) {
    this.#options = options;
    this.#events = events;
    const path = `/v2/${role}/${options.channel}`;
    this.socket = new ReconnectingSocket(options, path, {
      open: () => this.#opened(),
      message: (text) => this.#message(text),
      lost: () => events.lost?.(),
      unreached: () => events.unreached?.(),
      failed: (error) => events.failed(error),
      judge: ({ code }) => {
        if (code === 1000 && this.#greeted) return events.finished?.();
        if (code !== 4000 || this.incarnation !== undefined) return undefined;
        if (options.protocol === "auto" && events.legacy !== undefined) {
          // not inside the close handler: the socket must be done with first
          queueMicrotask(() => events.legacy?.());
          return "over";
        }
        return {
          retry: false,
          error: new StreamError(
            "unsupported",
            `The relay ${this.socket.url} does not speak v2 (it closed with 4000, as the Python relay does), expected one that does`,
          ),
        };
      },
    });
  }

  /** Sends a control. */
  send(control: Control): void {
    this.socket.send(encodeControl(control));
  }

  #opened(): void {
    this.#greeted = false;
    const { token } = this.#options;
    const hello: ClientHello = {
      v: 2,
      ...(token !== undefined && { auth: token }),
      ...(this.incarnation !== undefined && { incarnation: this.incarnation }),
      ...this.#events.hello(),
    };
    this.send({ hello });
  }

  #message(text: string): void {
    try {
      if (!this.#greeted) this.#greet(text);
      else if (isFrame(text)) this.#events.frame?.(text);
      else this.#control(decodeControl(text));
    } catch (error) {
      this.socket.fail(StreamError.from(error));
    }
  }

  #greet(text: string): void {
    const control = isFrame(text) ? {} : tryControl(text);
    if (control.error !== undefined) return this.#control(control);
    const hello = control.hello as Partial<RelayHello> | undefined;
    if (hello?.v !== 2 || typeof hello.incarnation !== "string") {
      throw new StreamError(
        "unreachable",
        `The server at ${this.socket.url} answered the hello with ${
          JSON.stringify(text.slice(0, 80))
        }, expected the hello of a streamrelay relay`,
      );
    }
    if (
      this.incarnation !== undefined && hello.incarnation !== this.incarnation
    ) {
      throw new StreamError(
        "relay_restarted",
        `The relay ${this.socket.url} has made channel ${this.#options.channel} anew, expected the one from before`,
      );
    }
    this.incarnation = hello.incarnation;
    this.#greeted = true;
    this.socket.ready(hello.ping ? () => this.send({ ping: {} }) : undefined);
    this.#events.accepted(hello as RelayHello);
  }

  #control(control: Control): void {
    if (control.error !== undefined) {
      const error = StreamError.parse(control.error);
      if (!this.#events.refused?.(error)) this.socket.note(error);
    } else this.#events.control(control);
  }
}

function tryControl(text: string): Control {
  try {
    return decodeControl(text);
  } catch {
    return {};
  }
}
