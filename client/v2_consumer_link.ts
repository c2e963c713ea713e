/**
 * Brings events in v2: from an offset on, bounded by credit, across cuts.
 *
 * @module
 */
import {
  type CancelAck,
  type ChannelEnd,
  type ClientHello,
  type Control,
  decodeReaderFrame,
  OpeningSession,
  parseEvent,
  type RelayHello,
  type SessionPoint,
  StreamError,
  type StreamEvent,
} from "../stream/mod.ts";
import type { ResolvedOptions } from "./client_options.ts";
import { type ConsumerEvents, type ConsumerLink, isEnd } from "./consumer_link.ts";
import { type InTurn, inTurn } from "./in_turn.ts";
import { ProducerFailure } from "./producer_failure.ts";
import { readRecords, readSealedRecords } from "./record_reader.ts";
import { V2Session } from "./v2_session.ts";

/** Where a pass starts, and how much may be under way to it. */
export interface ConsumerStart {
  /** First offset wanted. */
  from: number;
  /** The incarnation the offset belongs to, where the reader has been there before. */
  incarnation?: string;
  /** The session it belongs to, where the stream has encryption v2. */
  session?: SessionPoint;
  /** How many events from there on were read before, where an encrypted record holds several. */
  skip?: number;
  /** UTF-16 units that may be sent and not be read yet. */
  window: number;
}

interface OpenedRecords {
  events: StreamEvent[];
  session?: SessionPoint;
}

interface PendingCancel {
  resolve(ack: CancelAck): void;
  reject(error: StreamError): void;
}

/** See the module. */
export class V2ConsumerLink implements ConsumerLink {
  #options: ResolvedOptions;
  #events: ConsumerEvents;
  #session: V2Session;
  #window: number;
  /** The next offset wanted. */
  #next: number;
  /** Units that arrived and were not taken yet. */
  #waiting = 0;
  /** Units granted on this connection, and those of them not told yet. */
  #granted = 0;
  #untold = 0;
  #inTurn: InTurn;
  /** Encryption v2. */
  #opening?: OpeningSession;
  #end?: ChannelEnd;
  #askedForEnd = false;
  #failure = new ProducerFailure();
  #over = false;
  #cancels: PendingCancel[] = [];

  /**
   * @param options The client's options.
   * @param start Where to start.
   * @param events What to call back.
   */
  constructor(
    options: ResolvedOptions,
    start: ConsumerStart,
    events: ConsumerEvents,
  ) {
    this.#options = options;
    this.#events = events;
    this.#inTurn = inTurn(options.key !== undefined, (error) => this.#fail(error));
    this.#window = start.window;
    this.#next = start.from;
    const { key, channel, encryption } = options;
    if (key !== undefined && encryption === "v2") {
      const midway = start.from > 0;
      this.#opening = new OpeningSession({ key, channel, midway, point: start.session });
    }
    this.#session = new V2Session(options, "consume", {
      hello: () => this.#hello(),
      accepted: (hello) => this.#accepted(hello),
      frame: (message) => this.#frame(message),
      control: (control) => this.#control(control),
      refused: (error) => this.#refused(error),
      lost: () => this.#pause(),
      finished: () => this.#end === undefined ? undefined : this.#closed(),
      failed: (error) => this.#inTurn(() => this.#fail(error)),
      legacy: () => this.#legacy(start),
    });
    this.#session.incarnation = start.incarnation;
  }

  get incarnation(): string | undefined {
    return this.#session.incarnation;
  }

  start(): void {
    this.#session.socket.start();
  }

  close(): void {
    this.#over = true;
    this.#pause();
    this.#session.socket.close();
  }

  taken(units: number): void {
    this.#waiting -= units;
    this.#granted += units;
    this.#untold += units;
    // a quarter of the window at a time: often enough to never stand still, seldom enough to cost nothing
    if (this.#untold * 4 < this.#window) return;
    this.#tellCredit();
  }

  cancel(reason?: string): Promise<CancelAck> | undefined {
    if (!this.#session.socket.isReady) return undefined;
    this.#session.send({ cancel: { reason } });
    return new Promise((resolve, reject) => this.#cancels.push({ resolve, reject }));
  }

  #tellCredit(): void {
    this.#untold = 0;
    if (this.#session.socket.isReady) {
      this.#session.send({ credit: { bytes: this.#granted } });
    }
  }

  #hello(): Partial<ClientHello> {
    this.#granted = Math.max(1, this.#window - this.#waiting);
    this.#untold = 0;
    return { from: this.#next, credit: this.#granted };
  }

  #accepted(hello: RelayHello): void {
    this.#events.ready();
    if (hello.end !== undefined) this.#noteEnd(hello.end);
  }

  #frame(message: string): void {
    if (this.#over) return;
    const { header, text } = decodeReaderFrame(message);
    this.#waiting += message.length;
    // a session record that is sent again stands at no offset
    if (header.re === 1) return this.#resent(text, message.length);
    const skip = this.#next - header.o;
    const to = header.o + header.n;
    if (skip < 0) {
      if (this.#announced(text, to)) {
        return this.#inTurn(() => this.#deliver(readRecords(text), header.o, message.length));
      }
      throw new StreamError(
        "tampered",
        `The relay ${this.#session.socket.url} sent offset ${header.o}, expected ${this.#next}: records are missing`,
      );
    }
    if (skip >= header.n) return this.taken(message.length);
    const wanted = skip === 0 ? text : text.split("\n").slice(skip).join("\n");
    const offset = this.#next;
    this.#next = to;
    const { key } = this.#options;
    if (key === undefined) {
      return this.#deliver(readRecords(wanted), offset, message.length);
    }
    if (this.#opening === undefined) {
      const opened = readSealedRecords(wanted, key).then((events) => ({ events }));
      return this.#deliverOpened(opened, offset, message.length);
    }
    // one by one: a reader that stops in the middle of one knows its place
    const lines = wanted.split("\n");
    for (const [index, line] of lines.entries()) {
      const units = index === lines.length - 1 ? message.length : 0;
      this.#deliverOpened(this.#opening.open(line), offset + index, units);
    }
  }

  #deliverOpened(opened: Promise<OpenedRecords>, offset: number, units: number): void {
    // it is waited for in its turn; until then a failure is nobody's
    opened.catch(() => {});
    this.#inTurn(async () => {
      const { events, session } = await opened;
      this.#deliver(events, offset, units, session && { next: offset + 1, session });
    });
  }

  #resent(record: string, units: number): void {
    this.taken(units);
    const opened = this.#opening?.resent(record);
    opened?.catch(() => {});
    if (opened !== undefined) this.#inTurn(() => opened);
  }

  #deliver(
    events: StreamEvent[],
    offset: number,
    units: number,
    sealed?: { next: number; session: SessionPoint },
  ): void {
    if (this.#over) return;
    if (sealed !== undefined) this.#failure.note(events);
    const last = events.findIndex(isEnd);
    if (last >= 0) events.length = last + 1;
    if (last >= 0) this.#finish();
    this.#events.batch({ events, offset, ...sealed }, units);
  }

  /** Whether a frame that leaves records out is the relay's word that it had to drop them. */
  #announced(text: string, to: number): boolean {
    const event = parseEvent(text);
    if (event.type !== "gap" || event.from > this.#next || event.to !== to) {
      return false;
    }
    this.#next = to;
    return true;
  }

  #control({ cancel, end }: Control): void {
    if (end !== undefined) this.#noteEnd(end);
    else if (cancel !== undefined) {
      const { ack, error } = cancel as { ack?: CancelAck; error?: unknown };
      const asked = this.#cancels.shift();
      if (error === undefined) asked?.resolve(ack ?? "recorded");
      else asked?.reject(StreamError.parse(error));
    }
  }

  #refused(error: StreamError): boolean {
    const asked = this.#cancels.shift();
    asked?.reject(error);
    return asked !== undefined;
  }

  /** An end that is a record is told by the record; another one stands behind the tail. */
  #noteEnd(end: ChannelEnd): void {
    this.#end = end;
    if (end.offset === undefined) this.#inTurn(() => this.#render(end));
  }

  #render(end: ChannelEnd): void {
    if (this.#over) return;
    const { kind, by, ts } = end;
    if (kind === "error") {
      const { code = "job_failed", message, details } = this.#failure.addTo(end);
      return this.#conclude({
        type: "error",
        code,
        message: message ?? `The stream was ended as failed by the ${by}`,
        ...(details && { details }),
        ts,
      });
    }
    if (kind === "sealed") {
      throw new StreamError(
        "producer_lost",
        "The stream ended without a verdict that the key opens",
      );
    }
    if (this.#options.key !== undefined) {
      throw new StreamError(
        "tampered",
        `The ${by} ended the stream as complete although a key is set: expected the producer's encrypted word`,
      );
    }
    this.#conclude({ type: "done", reason: "completed", ts });
  }

  #conclude(event: StreamEvent): void {
    this.#finish();
    this.#events.batch({ events: [event] }, 0);
  }

  /** The relay closed with 1000 after an end. */
  #closed(): "over" | undefined {
    const end = this.#end!;
    if (this.#over || end.offset === undefined) return "over";
    if (end.offset < this.#next && !this.#askedForEnd) {
      // the reader started behind the final record: it is fetched alone
      this.#askedForEnd = true;
      // at once, because the next hello may not wait for what is still being decrypted
      this.#next = end.offset;
      this.#opening?.rereadEnd();
      return undefined;
    }
    if (end.offset >= this.#next) return undefined;
    this.#inTurn(() => {
      throw new StreamError(
        "producer_lost",
        "The stream ended without a final record that tells how",
      );
    });
    return "over";
  }

  #legacy({ from, incarnation }: ConsumerStart): void {
    if (from === 0 && incarnation === undefined) return this.#events.legacy();
    this.#fail(
      new StreamError(
        "unsupported",
        `The relay ${this.#session.socket.url} speaks v1 only and can't read from offset ${from}, expected 0`,
      ),
    );
  }

  #fail(error: StreamError): void {
    if (this.#over) return;
    this.#finish();
    this.#events.failed(error);
  }

  #finish(): void {
    this.close();
  }

  /** There is no connection any more, for now or for ever. */
  #pause(): void {
    const error = new StreamError(
      "unreachable",
      "The connection broke before the cancel was answered",
    );
    for (const { reject } of this.#cancels.splice(0)) reject(error);
  }
}
