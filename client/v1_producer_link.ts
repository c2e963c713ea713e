/**
 * Carries records in v1, to a Python relay: one message a record, no acknowledgement, no coming back.
 *
 * @module
 */
import { encodeV1Auth, StreamError } from "../stream/mod.ts";
import type { ResolvedOptions } from "./client_options.ts";
import type { CloseVerdict, SocketClose } from "./close_verdict.ts";
import { judgeClose } from "./close_verdict.ts";
import type { Outbox } from "./outbox.ts";
import type { ProducerEvents, ProducerLink } from "./producer_link.ts";
import { ReconnectingSocket } from "./reconnecting_socket.ts";

/** Bytes that may wait in the socket; beyond them records stay in the outbox. */
const SOCKET_BYTES = 1024 * 1024;
/** Milliseconds between looks at a full socket, which has no event for having drained. */
const LOOK_AGAIN = 5;

/** See the module. */
export class V1ProducerLink implements ProducerLink {
  /** The Python relay's bound is 1 MiB, ours 256 KiB. */
  readonly maxMessage = 256 * 1024;
  #outbox: Outbox;
  #events: ProducerEvents;
  #socket: ReconnectingSocket;
  #patience: number;
  #count = 0;
  #tailSent = false;
  #timer?: ReturnType<typeof setTimeout>;

  /**
   * @param options The client's options.
   * @param outbox Where the records come from.
   * @param events What to call back.
   */
  constructor(
    options: ResolvedOptions,
    outbox: Outbox,
    events: ProducerEvents,
  ) {
    this.#outbox = outbox;
    this.#events = events;
    this.#patience = options.connectTimeout;
    this.#socket = new ReconnectingSocket(
      options,
      `/produce/${options.channel}`,
      {
        open: () => {
          const { token } = options;
          if (token !== undefined) this.#socket.send(encodeV1Auth(token));
          this.#socket.ready();
          events.ready();
          this.pump();
        },
        // v1 relays have nothing to say to a producer
        message: () => {},
        lost: () => this.#stop(),
        failed: (error) => {
          this.#stop();
          events.failed(error);
        },
        judge: (close) => this.#judge(close),
      },
    );
  }

  get pending(): number {
    return this.#socket.bufferedAmount;
  }

  start(): void {
    this.#socket.start();
  }

  close(): void {
    this.#stop();
    this.#socket.close();
  }

  pump(): void {
    if (!this.#socket.isReady || this.#timer !== undefined) return;
    while (
      this.#outbox.length > 0 && this.#socket.bufferedAmount < SOCKET_BYTES
    ) {
      for (const line of this.#outbox.take(64, SOCKET_BYTES)) {
        this.#socket.send(line);
        this.#count++;
      }
    }
    const { closing } = this.#outbox;
    if (this.#outbox.length === 0 && closing !== undefined && !this.#tailSent) {
      this.#tailSent = true;
      if (closing.v1Tail !== undefined) this.#socket.send(closing.v1Tail);
    }
    if (this.#tailSent && this.#socket.bufferedAmount === 0) {
      // the answered closing handshake is the nearest v1 has to an acknowledgement
      this.#socket.shut();
      this.#timer = setTimeout(() => {
        this.#socket.fail(
          new StreamError(
            "unreachable",
            `The relay ${this.#socket.url} did not answer the closing handshake within ${this.#patience} ms; whether it has every record is unknown`,
          ),
        );
      }, this.#patience);
    } else if (this.#socket.bufferedAmount > 0) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.#events.progress();
        this.pump();
      }, LOOK_AGAIN);
    }
  }

  #judge(close: SocketClose): CloseVerdict | "over" | undefined {
    if (this.#count === 0) return undefined;
    // a relay that has seen the end may close first, with or without a code
    if (this.#tailSent && (close.code === 1000 || close.code === 1005)) {
      this.#stop();
      queueMicrotask(() => this.#events.finished());
      return "over";
    }
    const verdict = judgeClose(close, this.#socket.url);
    if (!verdict.retry) return verdict;
    const why = close.code === 1000
      ? "closed the connection, as a Python relay does when its consumer leaves,"
      : `broke the connection${close.code > 0 ? ` (${close.code})` : ""}`;
    return {
      retry: false,
      error: new StreamError(
        "unreachable",
        `The relay ${this.#socket.url} ${why} after ${this.#count} records and before the end; its protocol, v1, can't resume`,
      ),
    };
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
