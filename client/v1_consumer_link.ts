/**
 * Brings events in v1, from a Python relay: no offsets, no coming back once something came.
 *
 * @module
 */
import { encodeV1Auth, StreamError } from "../stream/mod.ts";
import type { ResolvedOptions } from "./client_options.ts";
import { type CloseVerdict, judgeClose, type SocketClose } from "./close_verdict.ts";
import { type ConsumerEvents, type ConsumerLink, isEnd } from "./consumer_link.ts";
import { type InTurn, inTurn } from "./in_turn.ts";
import { ReconnectingSocket } from "./reconnecting_socket.ts";
import { readRecords, readSealedRecords } from "./record_reader.ts";

/** v1 has no flow control: a reader that lies further behind fails, so that memory stays bounded. */
const MAX_WAITING = 64 * 1024 * 1024;

/** See the module. */
export class V1ConsumerLink implements ConsumerLink {
  #options: ResolvedOptions;
  #events: ConsumerEvents;
  #socket: ReconnectingSocket;
  #count = 0;
  #waiting = 0;
  #over = false;
  #inTurn: InTurn;

  /**
   * @param options The client's options.
   * @param events What to call back.
   */
  constructor(options: ResolvedOptions, events: ConsumerEvents) {
    this.#options = options;
    this.#events = events;
    this.#inTurn = inTurn(options.key !== undefined, (error) => this.#fail(error));
    const path = `/consume/${options.channel}`;
    this.#socket = new ReconnectingSocket(options, path, {
      open: () => {
        const { token } = options;
        if (token !== undefined) this.#socket.send(encodeV1Auth(token));
        this.#socket.ready();
        events.ready();
      },
      message: (text) => this.#message(text),
      failed: (error) => this.#inTurn(() => this.#fail(error)),
      judge: (close) => this.#judge(close),
    });
  }

  start(): void {
    this.#socket.start();
  }

  close(): void {
    this.#over = true;
    this.#socket.close();
  }

  taken(units: number): void {
    this.#waiting -= units;
  }

  cancel(): undefined {
    return undefined;
  }

  #message(line: string): void {
    // a Python relay without a secret passes a client's auth message on, as if it were a record
    if (this.#over || isAuth(line)) return;
    this.#count++;
    this.#waiting += line.length;
    if (this.#waiting > MAX_WAITING) {
      return this.#fail(
        new StreamError(
          "limit",
          `The reader lies ${MAX_WAITING} bytes behind, and v1 can't hold the relay back`,
        ),
      );
    }
    // line breaks can only be white space of a v1 message's JSON
    const record = line.replace(/[\r\n]/g, " ");
    const { key } = this.#options;
    if (key === undefined) {
      return this.#inTurn(() => this.#deliver(readRecords(record), line.length));
    }
    const opened = readSealedRecords(record, key);
    opened.catch(() => {});
    this.#inTurn(async () => this.#deliver(await opened, line.length));
  }

  #deliver(events: ReturnType<typeof readRecords>, units: number): void {
    if (this.#over) return;
    if (events.some(isEnd)) this.close();
    this.#events.batch({ events }, units);
  }

  #judge(close: SocketClose): CloseVerdict | undefined {
    const verdict = judgeClose(close, this.#socket.url);
    if (close.code === 1000) {
      return {
        retry: false,
        error: new StreamError(
          "producer_lost",
          "The relay closed the stream before its end: the producer went away without saying how it ended",
        ),
      };
    }
    if (!verdict.retry || this.#count === 0) return verdict;
    return {
      retry: false,
      error: new StreamError(
        "unreachable",
        `${verdict.error.message} after ${this.#count} records; its protocol, v1, can't resume`,
      ),
    };
  }

  #fail(error: StreamError): void {
    if (this.#over) return;
    this.close();
    this.#events.failed(error);
  }
}

function isAuth(line: string): boolean {
  if (!line.includes('"auth"')) return false;
  try {
    return JSON.parse(line)?.type === "auth";
  } catch {
    return false;
  }
}
