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
  #code: number;
  #reason: string;
  #last = Date.now() + PATIENCE_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param socket The server's side.
   * @param code The close code.
   * @param reason The reason; cut to what fits.
   */
  constructor(socket: WebSocket, code: number, reason: string) {
    this.#socket = socket;
    this.#code = code;
    this.#reason = reason;
    this.heard();
  }

  /** Notes a message; the close waits a little longer for it. */
  heard(): void {
    if (this.#timer !== undefined && Date.now() >= this.#last) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#close, QUIET_MS);
  }

  /** Forgets it: the socket is closed. */
  gone(): void {
    clearTimeout(this.#timer);
    this.#last = 0;
  }

  #close = (): void => {
    if (this.#socket.readyState > WebSocket.OPEN) return;
    this.#socket.close(this.#code, closeReason(this.#reason));
  };
}
