/**
 * Closing a `Deno.serve` WebSocket so that the other side learns why.
 *
 * @module
 */
import { closeReason } from "../peer.ts";

/** How long no message must have come. */
const QUIET_MS = 5;

/** How long a client that does not stop sending is waited for. */
const PATIENCE_MS = 200;

/**
 * Closes once the client is quiet. Deno drops the connection without a close frame when a message is
 * waiting to be read while `close()` is called (seen with 2.9.6: the client gets an abnormal close in
 * place of the code), which is just what a refused or fenced producer would run into.
 */
export class QuietClose {
  #socket: WebSocket;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #last = 0;
  #go = () => {};

  /** @param socket The server's side. */
  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** Whether it was told to close. */
  get begun(): boolean {
    return this.#last > 0;
  }

  /** Closes soon; only the first call counts. */
  close(code: number, reason: string): void {
    if (this.begun) return;
    this.#last = Date.now() + PATIENCE_MS;
    this.#go = () => {
      if (this.#socket.readyState <= WebSocket.OPEN) this.#socket.close(code, closeReason(reason));
    };
    this.heard();
  }

  /** Notes a message; the close waits a little longer for it. */
  heard(): void {
    if (!this.begun || (this.#timer !== undefined && Date.now() >= this.#last)) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#go, QUIET_MS);
  }

  /** Forgets it: the socket is closed. */
  gone(): void {
    this.#last ||= Date.now();
    clearTimeout(this.#timer);
  }
}
