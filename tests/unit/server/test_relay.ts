/** A relay with raw clients, for the tests of its faces. @module */
import { assert, assertEquals } from "@std/assert";
import {
  type LogLevel,
  mintToken,
  type Relay,
  type RelayOptions,
  type Role,
  serveRelay,
} from "../../../server/mod.ts";
import { RawSocket } from "../../tools/raw_socket.ts";

/** A line of the log. */
export interface LogLine {
  /** How grave. */
  level: LogLevel;
  /** What was said. */
  message: string;
  /** And about what. */
  fields: Record<string, unknown>;
}

/** An answer of the control API. */
export interface Answer {
  /** The status. */
  status: number;
  /** The parsed body, or its text. */
  // deno-lint-ignore no-explicit-any -- tests look into whatever came
  body: any;
  /** The headers. */
  headers: Headers;
}

/** A producer of the v2 face that counts its records. */
export interface Producer {
  /** Its socket. */
  socket: RawSocket;
  /** What the relay answered to its hello. */
  // deno-lint-ignore no-explicit-any -- as it came
  hello: any;
  /** Sends records as one frame and returns the seq after them. */
  send(records: (string | object)[], close?: string): number;
  /** Sends records and waits for their acknowledgement. */
  put(records: (string | object)[], close?: string): Promise<void>;
}

/** A relay that listens on a free port, and clients of it. */
export class TestRelay {
  /** Its root secret. */
  readonly secret = "a root secret that is long enough";
  /** What it logged. */
  readonly lines: LogLine[] = [];
  /** The relay. */
  relay!: Relay;
  #sockets: RawSocket[] = [];

  /** Starts one. */
  static async start(options: RelayOptions): Promise<TestRelay> {
    const test = new TestRelay();
    test.relay = await serveRelay({
      port: 0,
      secret: options.insecure ? undefined : test.secret,
      log: (level, message, fields = {}) => test.lines.push({ level, message, fields }),
      ...options,
    });
    return test;
  }

  /** Closes the clients and the relay. */
  async stop(): Promise<void> {
    await Promise.all(this.#sockets.map((socket) => socket.close()));
    await this.relay.close();
  }

  /** Its address for HTTP. */
  get http(): string {
    return this.relay.url.replace("ws", "http");
  }

  /** Opens a socket that is closed after the test. */
  async socket(path: string): Promise<RawSocket> {
    const socket = await RawSocket.open(this.relay.url + path);
    this.#sockets.push(socket);
    return socket;
  }

  /** A v1 client that has said its secret. */
  async v1(face: "produce" | "consume", id: string, secret = this.secret): Promise<RawSocket> {
    const socket = await this.socket(`/${face}/${id}`);
    socket.send({ type: "auth", secret });
    return socket;
  }

  /** A v2 client that has said hello; its answer is still to be read. */
  async v2(
    face: "produce" | "consume" | "supervise",
    id: string,
    hello: Record<string, unknown> = {},
  ): Promise<RawSocket> {
    const socket = await this.socket(`/v2/${face}/${id}`);
    socket.send({ hello: { v: 2, auth: this.secret, ...hello } });
    return socket;
  }

  /** A v2 consumer or supervisor whose hello was answered. */
  async join(
    face: "consume" | "supervise",
    id: string,
    hello: Record<string, unknown> = {},
    // deno-lint-ignore no-explicit-any -- as it came
  ): Promise<{ socket: RawSocket; hello: any }> {
    const socket = await this.v2(face, id, hello);
    const answer = await socket.json();
    assert(answer.hello, `expected a hello, got ${JSON.stringify(answer)}`);
    return { socket, hello: answer.hello };
  }

  /** A v2 producer whose hello was answered. */
  async producer(
    id: string,
    instance = "one",
    more: Record<string, unknown> = {},
  ): Promise<Producer> {
    const socket = await this.v2("produce", id, { instance, ...more });
    const { hello, error } = await socket.json();
    assert(hello, `expected a hello, got ${JSON.stringify(error)}`);
    let seq = hello.next;
    const send = (records: (string | object)[], close?: string) => {
      socket.send(frame(hello.epoch, seq, records, close));
      return seq += records.length;
    };
    return {
      socket,
      hello,
      send,
      put: async (records, close) => {
        const next = send(records, close);
        assertEquals((await socket.json()).ack?.next, next);
      },
    };
  }

  /** A request with the root secret, or another credential, as JSON unless it is text or bytes. */
  async api(
    method: string,
    path: string,
    body?: unknown,
    { auth = this.secret, headers = {} }: {
      auth?: string | null;
      headers?: Record<string, string>;
    } = {},
  ): Promise<Answer> {
    const raw = body === undefined || typeof body === "string" || body instanceof Uint8Array ||
      body instanceof ReadableStream;
    const response = await fetch(this.http + path, {
      method,
      headers: { ...(auth === null ? {} : { authorization: `Bearer ${auth}` }), ...headers },
      body: raw ? body as BodyInit | undefined : JSON.stringify(body),
    });
    const text = await response.text();
    const json = response.headers.get("content-type")?.includes("json");
    return {
      status: response.status,
      body: json ? JSON.parse(text) : text,
      headers: response.headers,
    };
  }

  /** Makes a channel by the control API. */
  async channel(
    id: string,
    more: Record<string, unknown> = {},
  ): Promise<{ incarnation: string; tokens: Record<string, string> }> {
    const { status, body } = await this.api("POST", "/v1/channels", { id, ...more });
    assertEquals(status, 201);
    return body;
  }

  /** A token for a channel. */
  token(channel: string, ...roles: Role[]): Promise<string> {
    return mintToken(this.secret, { channel, roles });
  }
}

/** A producer's frame. */
export function frame(
  epoch: number,
  seq: number,
  records: (string | object)[],
  close?: string,
): string {
  const lines = records.map((each) => typeof each === "string" ? each : JSON.stringify(each));
  return [JSON.stringify({ n: records.length, e: epoch, s: seq, close }), ...lines].join("\n");
}

/** A token record. */
export function token(content: string): { type: "token"; content: string } {
  return { type: "token", content };
}

/** The record that completes a stream. */
export const DONE = { type: "done", reason: "completed" };
