/** A WebSocket whose messages are awaited one by one, for tests of what is on the wire. @module */

/** How long a test waits for a message or a close before it fails. */
const PATIENCE_MS = 10_000;

/** How a socket was closed. */
export interface Closed {
  /** The close code. */
  code: number;
  /** The reason. */
  reason: string;
}

/** A client without any knowledge of a protocol. */
export class RawSocket {
  /** Resolved with how it was closed. */
  readonly closed: Promise<Closed>;
  #socket: WebSocket;
  #messages: string[] = [];
  #waiting: { resolve: (text: string) => void; reject: (error: Error) => void }[] = [];
  #over?: Closed;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const waiting = this.#waiting.shift();
      if (waiting) waiting.resolve(data);
      else this.#messages.push(data);
    };
    this.closed = new Promise((resolve) => {
      socket.onclose = ({ code, reason }) => {
        this.#over = { code, reason };
        for (const { reject } of this.#waiting.splice(0)) reject(this.#ended());
        resolve(this.#over);
      };
    });
  }

  /**
   * Opens a socket.
   *
   * @param url Where to.
   * @returns The open socket.
   */
  static async open(url: string): Promise<RawSocket> {
    const socket = new WebSocket(url);
    const raw = new RawSocket(socket);
    await new Promise<void>((resolve, reject) => {
      socket.onopen = () => resolve();
      socket.onerror = () => reject(new Error(`Cannot connect to ${url}`));
    });
    socket.onerror = () => {};
    return raw;
  }

  /** Sends text or bytes as they are, anything else as JSON. */
  send(message: string | Uint8Array<ArrayBuffer> | object): void {
    const raw = typeof message === "string" || message instanceof Uint8Array;
    this.#socket.send(raw ? message : JSON.stringify(message));
  }

  /** The next message; fails when the socket closes first. */
  next(): Promise<string> {
    const message = this.#messages.shift();
    if (message !== undefined) return Promise.resolve(message);
    if (this.#over) return Promise.reject(this.#ended());
    return patiently(
      "a message",
      new Promise((resolve, reject) => this.#waiting.push({ resolve, reject })),
    );
  }

  /** The next message, parsed. */
  // deno-lint-ignore no-explicit-any -- what is on the wire has no type yet
  async json(): Promise<any> {
    return JSON.parse(await this.next());
  }

  /** Every message until the close. */
  async rest(): Promise<string[]> {
    await patiently("a close", this.closed);
    return this.#messages.splice(0);
  }

  /** The code it is closed with. */
  async code(): Promise<number> {
    return (await patiently("a close", this.closed)).code;
  }

  /** Closes and waits until that is done. */
  async close(code = 1000): Promise<void> {
    if (this.#socket.readyState <= WebSocket.OPEN) this.#socket.close(code);
    await patiently("a close", this.closed);
  }

  #ended(): Error {
    return new Error(`Closed with ${this.#over?.code} ${this.#over?.reason} before a message`);
  }
}

async function patiently<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`Not within ${PATIENCE_MS} ms: ${what}`)),
      PATIENCE_MS,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
