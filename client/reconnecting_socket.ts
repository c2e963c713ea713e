/**
 * A WebSocket that comes back.
 *
 * @module
 */
import { StreamError } from "../stream/mod.ts";
import { BackOff } from "./back_off.ts";
import type { ResolvedOptions } from "./client_options.ts";
import { type CloseVerdict, judgeClose, type SocketClose } from "./close_verdict.ts";
import { Heartbeat } from "./heartbeat.ts";

/** What a {@linkcode ReconnectingSocket} calls back. */
export interface SocketEvents {
  /** A connection is open; nothing was said on it yet. */
  open(): void;
  /** A text message came. */
  message(text: string): void;
  /** A connection that was ready is gone, and another one is being tried. */
  lost?(error: StreamError): void;
  /** None of the relays could be reached, and none ever was; they are tried on. */
  unreached?(): void;
  /** It is over: nothing more will be called. */
  failed(error: StreamError): void;
  /** Has a close judged otherwise than by the table; `"over"` ends it without a failure. */
  judge?(close: SocketClose): CloseVerdict | "over" | undefined;
}

/**
 * Keeps one connection to the first relay of a list that answers. After a break it tries again, at once
 * within the list and with jittered exponential back-off between rounds, until the patience is over.
 *
 * A connection counts from {@linkcode ReconnectingSocket.ready} on, not from its opening: a server that
 * opens and then says nothing, or nonsense, is not a relay.
 */
export class ReconnectingSocket {
  #options: ResolvedOptions;
  #path: string;
  #events: SocketEvents;
  #backOff: BackOff;
  #heartbeat = new Heartbeat();
  #socket?: WebSocket;
  #timer?: ReturnType<typeof setTimeout>;
  #urlAt = 0;
  #triedInRound = 0;
  #ready = false;
  #wasReady = false;
  #over = false;
  #since = Date.now();
  #trouble = "";
  #noted?: StreamError;
  #onAbort?: () => void;

  /**
   * @param options Relays, back-off, time-outs, WebSocket class.
   * @param path What comes after a relay's URL, from its `/` on.
   * @param events What to call back.
   */
  constructor(options: ResolvedOptions, path: string, events: SocketEvents) {
    this.#options = options;
    this.#path = path;
    this.#events = events;
    this.#backOff = new BackOff(options.retry);
  }

  /** The relay in use. */
  get url(): string {
    return this.#options.urls[this.#urlAt];
  }

  /** Whether a connection stands and was declared ready. */
  get isReady(): boolean {
    return this.#ready;
  }

  /** Bytes handed to the runtime that are not on their way yet. */
  get bufferedAmount(): number {
    return this.#socket?.bufferedAmount ?? 0;
  }

  /** Begins. */
  start(): void {
    const { signal } = this.#options;
    if (signal?.aborted) {
      queueMicrotask(() => this.fail(aborted(signal)));
      return;
    }
    if (signal !== undefined) {
      this.#onAbort = () => this.fail(aborted(signal));
      signal.addEventListener("abort", this.#onAbort, { once: true });
    }
    this.#since = Date.now();
    this.#open();
  }

  /** Sends a text message; what is sent without a connection is dropped. */
  send(text: string): void {
    if (this.#socket?.readyState === 1) this.#socket.send(text);
  }

  /**
   * Declares the connection good: the back-off and the patience start anew.
   *
   * @param ask Sends what the relay answers, for when it has been silent; without it, silence is borne.
   */
  ready(ask?: () => void): void {
    this.#clearTimer();
    this.#ready = true;
    this.#wasReady = true;
    this.#triedInRound = 0;
    this.#backOff.reset();
    if (ask !== undefined) {
      this.#heartbeat.start(this.#options.pingAfter, { ask, dead: () => this.#silent() });
    }
  }

  /** Remembers what the relay said before it closes. */
  note(error: StreamError): void {
    this.#noted = error;
  }

  /** Ends it with an error. */
  fail(error: StreamError): void {
    if (this.#over) return;
    this.#finish(1000);
    this.#events.failed(error);
  }

  /** Ends it quietly. */
  close(): void {
    if (!this.#over) this.#finish(1000);
  }

  /** Begins the closing handshake; the close is judged when the other side has answered. */
  shut(): void {
    this.#socket?.close(1000);
  }

  /** Drops the connection there is and makes another. */
  reopen(error: StreamError): void {
    if (this.#over) return;
    this.#detach(1000);
    this.#gone({ retry: true, error });
  }

  #open(): void {
    const url = this.url;
    this.#noted = undefined;
    this.#trouble = "";
    let socket: WebSocket;
    try {
      socket = new this.#options.webSocket(url + this.#path);
    } catch (error) {
      // a runtime that forbids the connection throws here, and will again
      this.fail(
        StreamError.from(error, "unreachable", `Cannot reach relay ${url}: `),
      );
      return;
    }
    this.#socket = socket;
    this.#timer = setTimeout(
      () => this.#timedOut(socket.readyState === 1),
      this.#options.connectTimeout,
    );
    let opened = false;
    socket.onopen = () => {
      opened = true;
      this.#events.open();
    };
    socket.onmessage = ({ data }) => {
      this.#heartbeat.heard();
      if (typeof data === "string") this.#events.message(data);
      else {
        this.fail(
          new StreamError(
            "unreachable",
            `The server at ${url} sent a binary message, expected a streamrelay relay, which sends text`,
          ),
        );
      }
    };
    const closed = ({ code, reason }: SocketClose) => {
      if (socket !== this.#socket) return;
      const verdict = this.#events.judge?.({ code, reason }) ??
        judgeClose({ code, reason }, url, this.#noted);
      this.#detach();
      if (verdict === "over") this.#finish();
      else this.#gone(verdict);
    };
    socket.onclose = closed;
    socket.onerror = (event) => {
      if (socket !== this.#socket) return;
      // the reason of a failed connection is told here only, by the runtimes that tell it at all
      this.#trouble = (event as Partial<ErrorEvent>).message ?? "";
      // Node 22 sends no close event after a connection that never opened
      if (!opened) setTimeout(() => closed({ code: 1006, reason: "" }), 0);
    };
  }

  #timedOut(opened: boolean): void {
    const { connectTimeout } = this.#options;
    this.#detach(1000);
    this.#trouble = opened
      ? `it opened the connection but did not answer within ${connectTimeout} ms, expected a streamrelay relay`
      : `no connection within ${connectTimeout} ms`;
    this.#gone({
      retry: true,
      error: new StreamError("unreachable", this.#trouble),
    });
  }

  #silent(): void {
    const { pingAfter } = this.#options;
    this.reopen(
      new StreamError(
        "unreachable",
        `The relay ${this.url} did not answer within ${pingAfter} ms when it was asked`,
      ),
    );
  }

  /** A connection, or the attempt at one, is over. */
  #gone({ retry, error }: CloseVerdict): void {
    if (!retry) return this.fail(error);
    if (this.#ready) {
      this.#ready = false;
      this.#since = Date.now();
      this.#events.lost?.(error);
      if (this.#over) return;
      if (this.#options.retry.giveUpAfter === 0) return this.fail(error);
      this.#wait(this.#backOff.next());
      return;
    }
    this.#urlAt = (this.#urlAt + 1) % this.#options.urls.length;
    if (++this.#triedInRound < this.#options.urls.length) return this.#open();
    this.#triedInRound = 0;
    const { giveUpAfter, firstGiveUpAfter } = this.#options.retry;
    const patience = this.#wasReady ? giveUpAfter : firstGiveUpAfter;
    const pause = this.#backOff.next();
    const passed = Date.now() - this.#since;
    if (passed + pause >= patience) return this.#giveUp(error, passed);
    if (!this.#wasReady) this.#events.unreached?.();
    if (this.#over) return;
    this.#wait(pause);
  }

  #giveUp(error: StreamError, passed: number): void {
    if (error.code !== "unreachable") return this.fail(error);
    const why = this.#trouble || error.message;
    const seconds = Math.round(passed / 1000);
    this.fail(
      new StreamError(
        "unreachable",
        `Cannot reach relay ${this.#options.urls.join(" or ")}${
          seconds > 0 ? ` for ${seconds} s` : ""
        }: ${why}`,
        { cause: error },
      ),
    );
  }

  #wait(milliseconds: number): void {
    this.#timer = setTimeout(() => this.#open(), milliseconds);
  }

  #detach(code?: number): void {
    this.#clearTimer();
    this.#heartbeat.stop();
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined) return;
    // a socket that never opened may still report its failure; without a handler that is an uncaught error
    socket.onopen = socket.onmessage = socket.onclose = null;
    if (code !== undefined) socket.close(code);
  }

  #finish(code?: number): void {
    this.#over = true;
    this.#ready = false;
    this.#detach(code);
    if (this.#onAbort !== undefined) {
      this.#options.signal?.removeEventListener("abort", this.#onAbort);
    }
  }

  #clearTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

function aborted(signal: AbortSignal): StreamError {
  return signal.reason instanceof StreamError
    ? signal.reason
    : new StreamError("cancelled", "The client was stopped by its signal", {
      cause: signal.reason,
    });
}
