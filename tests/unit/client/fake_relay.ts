/**
 * The relay's side of connections, played by a test: no network, no time-outs, runs anywhere.
 *
 * @module
 */
import { assertEquals } from "@std/assert";

/** One connection, as the relay sees it. */
export class FakeConnection {
  /** Where the client wanted to. */
  readonly url: string;
  /** Resolves with the code when the client closes. */
  readonly closed: Promise<number>;
  #socket: FakeSocket;
  #queue: string[] = [];
  #wanted: ((text: string) => void)[] = [];
  #tellClosed!: (code: number) => void;

  constructor(socket: FakeSocket) {
    this.#socket = socket;
    this.url = socket.url;
    this.closed = new Promise((resolve) => this.#tellClosed = resolve);
  }

  /** How much the client believes to be unsent. */
  set buffered(bytes: number) {
    this.#socket.bufferedAmount = bytes;
  }

  /** What the client has sent and nobody has read yet. */
  get unread(): readonly string[] {
    return this.#queue;
  }

  /** Opens the connection. */
  accept(): this {
    this.#socket.readyState = 1;
    this.#socket.onopen?.();
    return this;
  }

  /** The client's next message. */
  read(): Promise<string> {
    const text = this.#queue.shift();
    if (text !== undefined) return Promise.resolve(text);
    return new Promise((resolve) => this.#wanted.push(resolve));
  }

  /** The client's next message, which must be a control, parsed. */
  // deno-lint-ignore no-explicit-any -- tests look into whatever came
  async control(): Promise<any> {
    return JSON.parse(await this.read());
  }

  /** The client's next message, which must be a frame: its header and its record lines. */
  async frame(): Promise<{ header: Record<string, unknown>; lines: string[] }> {
    const [header, ...lines] = (await this.read()).split("\n");
    return { header: JSON.parse(header), lines };
  }

  /** Sends a text as it is. */
  text(message: unknown): void {
    this.#socket.onmessage?.({ data: message });
  }

  /** Sends a control. */
  send(control: Record<string, unknown>): void {
    this.text(JSON.stringify(control));
  }

  /** Sends a frame of events. */
  events(header: Record<string, unknown>, events: unknown[]): void {
    const lines = events.map((event) => typeof event === "string" ? event : JSON.stringify(event));
    this.text(
      [JSON.stringify({ n: lines.length, ...header }), ...lines].join("\n"),
    );
  }

  /** Accepts, checks that a hello comes and answers it. Returns the client's hello. */
  async hello(
    answer: Record<string, unknown> = {},
  ): Promise<Record<string, unknown>> {
    this.accept();
    const { hello } = await this.control();
    assertEquals(hello.v, 2);
    this.send({
      hello: { v: 2, incarnation: "i1", next: 0, sync: "memory", ...answer },
    });
    return hello;
  }

  /** Closes; without a code, as a cut. */
  close(code = 1006, reason = ""): void {
    this.#socket.readyState = 3;
    this.#socket.onclose?.({ code, reason });
  }

  /** Says what is wrong and closes. */
  refuse(code: string, close: number, message = "No"): void {
    this.send({ error: { code, message } });
    this.close(close);
  }

  /** @internal the client sent something */
  arrived(text: string): void {
    const wanted = this.#wanted.shift();
    if (wanted) wanted(text);
    else this.#queue.push(text);
  }

  /** @internal the client closed */
  left(code: number): void {
    this.#tellClosed(code);
  }
}

interface FakeSocket {
  url: string;
  readyState: number;
  bufferedAmount: number;
  onopen?: (() => void) | null;
  onmessage?: ((event: { data: unknown }) => void) | null;
  onclose?: ((event: { code: number; reason: string }) => void) | null;
  onerror?: ((event: { message?: string }) => void) | null;
}

/** A relay that a test plays. */
export class FakeRelay {
  /** The class to give to a client. */
  readonly webSocket: typeof WebSocket;
  /** How many connections there have been. */
  count = 0;
  #queue: FakeConnection[] = [];
  #wanted: ((connection: FakeConnection) => void)[] = [];

  constructor() {
    const add = (connection: FakeConnection) => this.#add(connection);
    this.webSocket = class implements FakeSocket {
      readyState = 0;
      bufferedAmount = 0;
      onclose?: FakeSocket["onclose"];
      url: string;
      #connection: FakeConnection;
      constructor(url: string) {
        this.url = url;
        this.#connection = new FakeConnection(this);
        add(this.#connection);
      }
      send(text: string): void {
        this.#connection.arrived(text);
      }
      close(code = 1005): void {
        if (this.readyState >= 2) return;
        this.readyState = 2;
        this.#connection.left(code);
        queueMicrotask(() => this.onclose?.({ code, reason: "" }));
      }
    } as unknown as typeof WebSocket;
  }

  /** Options for a client of this relay. */
  get options(): {
    url: string;
    channel: string;
    token: string;
    key: string;
    webSocket: typeof WebSocket;
    retry: { base: number; giveUpAfter?: number };
  } {
    return {
      url: "ws://127.0.0.1:1",
      channel: "c1",
      token: "t",
      key: "",
      webSocket: this.webSocket,
      retry: { base: 1 },
    };
  }

  /** The next connection that a client asks for. */
  next(): Promise<FakeConnection> {
    const connection = this.#queue.shift();
    if (connection !== undefined) return Promise.resolve(connection);
    return new Promise((resolve) => this.#wanted.push(resolve));
  }

  #add(connection: FakeConnection): void {
    this.count++;
    const wanted = this.#wanted.shift();
    if (wanted) wanted(connection);
    else this.#queue.push(connection);
  }
}

/** A token record. */
export function token(content: string): { type: "token"; content: string } {
  return { type: "token", content };
}
