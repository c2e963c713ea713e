/**
 * A WebSocket client of `Deno.serve`.
 *
 * @module
 */
import type { Peer, PeerListener } from "../peer.ts";
import { QuietClose } from "./quiet_close.ts";

/**
 * The peer over a `Deno.serve` WebSocket. A class with few objects behind it: with hundreds of clients
 * that each say little, what a message costs is fetching from memory what it touches.
 */
export class DenoPeer implements Peer {
  /** See {@linkcode Peer.listener}. */
  listener?: PeerListener = undefined;
  #socket: WebSocket;
  #opened?: (peer: Peer) => void;
  #failed: (error: unknown) => void;
  #closing?: QuietClose;
  #gone = false;

  /**
   * @param socket The server's side, not open yet.
   * @param opened Called once it is open; sets {@linkcode listener}.
   * @param failed Told what was thrown where nothing should be.
   */
  constructor(
    socket: WebSocket,
    opened: (peer: Peer) => void,
    failed: (error: unknown) => void,
  ) {
    this.#socket = socket;
    this.#opened = opened;
    this.#failed = failed;
    socket.binaryType = "arraybuffer";
    for (const type of ["message", "open", "close", "error"]) socket.addEventListener(type, this);
  }

  /** See `EventListenerObject`: what the socket tells; on the way to `onmessage` there are four objects more. */
  handleEvent(event: Event): void {
    if (event instanceof MessageEvent) return this.#received(event.data);
    if (event.type === "open") this.#open();
    else if (event instanceof CloseEvent) this.#leave(event.code, event.reason);
    else this.#leave(1006, "");
  }

  /** See {@linkcode Peer.bufferedAmount}. */
  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  /** See {@linkcode Peer.send}. */
  send(text: string): void {
    // the socket itself sends nothing once it is closed
    if (this.#closing === undefined) this.#socket.send(text);
  }

  /** See {@linkcode Peer.close}. */
  close(code: number, reason: string): void {
    if (this.#gone) return;
    this.#closing ??= new QuietClose(this.#socket, code, reason);
  }

  /** Deno has no such thing: the close queues behind the backlog, and the socket is forgotten. */
  terminate(): void {
    if (this.#socket.readyState <= WebSocket.OPEN) this.#socket.close();
  }

  #open(): void {
    this.#guarded(() => this.#opened?.(this));
    // it holds the request with all its headers, and the connection may last for days
    this.#opened = undefined;
  }

  #received(data: string | ArrayBuffer): void {
    // whoever was said goodbye has nothing to say any more
    if (this.#closing !== undefined) return this.#closing.heard();
    // as in #guarded(), but without a closure: this runs for every message
    try {
      this.listener?.message(typeof data === "string" ? data : new Uint8Array(data));
    } catch (error) {
      this.#fail(error);
    }
  }

  #leave(code: number, reason: string): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#closing?.gone();
    this.#guarded(() => this.listener?.closed(code, reason));
  }

  #guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#failed(error);
    this.close(1011, "Internal error");
  }
}
