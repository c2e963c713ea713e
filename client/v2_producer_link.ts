/**
 * Carries records in v2: frames, acknowledgements, resending after a cut.
 *
 * @module
 */
import {
  type ChannelEnd,
  type CloseKind,
  type Control,
  encodeFrame,
  type RelayHello,
  StreamError,
} from "../stream/mod.ts";
import type { ResolvedOptions } from "./client_options.ts";
import { FrameSealer } from "./frame_sealer.ts";
import type { Closing, Outbox } from "./outbox.ts";
import { endedBy, isOwnEnd } from "./producer_end.ts";
import type { ProducerEvents, ProducerIdentity, ProducerLink } from "./producer_link.ts";
import { V2Session } from "./v2_session.ts";

const MAX_RECORDS = 512;
const MAX_UNITS = 128 * 1024;
const MAX_UNACKED = 8;
/** What a header may take of the relay's largest message. */
const HEADER_BYTES = 256;

interface SentFrame {
  n: number;
  s: number;
  text: string;
  close?: CloseKind;
}

/** What a {@linkcode V2ProducerLink} calls back. */
export interface V2ProducerEvents extends ProducerEvents {
  /** The relay speaks v1 only; this link is done for. */
  legacy(): void;
  /** None of the relays could be reached, and none ever was; it tries on. */
  unreached(): void;
}

/**
 * Sends at once while the socket is idle and gathers while it is busy: busy is a socket with something
 * buffered, eight frames without an acknowledgement, or a frame that is being sealed. It never waits in
 * order to gather.
 */
export class V2ProducerLink implements ProducerLink {
  maxMessage: number = 256 * 1024;
  #options: ResolvedOptions;
  #identity: ProducerIdentity;
  #outbox: Outbox;
  #events: V2ProducerEvents;
  #session: V2Session;
  /** Frames that are not acknowledged, oldest first; the first `#sent` of them are on this connection. */
  #frames: SentFrame[] = [];
  #sent = 0;
  #inFlight = 0;
  #next = 0;
  #epoch = 0;
  #window = 0;
  #frameUnits = unitsWithin(256 * 1024);
  #closeSent = false;
  #busy = false;
  #recheck?: ReturnType<typeof setTimeout>;
  #watchdog?: ReturnType<typeof setTimeout>;
  /** When the relay was last heard of, or first sent to after it owed nothing. */
  #heard = 0;
  #pending = 0;
  /** Encryption v2; what comes while it works gathers. */
  #sealer?: FrameSealer;
  #sealing = false;

  /**
   * @param options The client's options.
   * @param identity Who is writing.
   * @param outbox Where the records come from.
   * @param events What to call back.
   */
  constructor(
    options: ResolvedOptions,
    identity: ProducerIdentity,
    outbox: Outbox,
    events: V2ProducerEvents,
  ) {
    this.#options = options;
    this.#identity = identity;
    this.#outbox = outbox;
    this.#events = events;
    const { key, channel, encryption } = options;
    if (key !== undefined && encryption === "v2") {
      this.#sealer = new FrameSealer({ key, channel, continues: identity.continues });
    }
    this.#session = new V2Session(options, "produce", {
      hello: () => ({
        instance: identity.instance,
        ...(identity.continues && { continues: identity.continues }),
      }),
      accepted: (hello) => this.#accepted(hello),
      control: (control) => this.#control(control),
      lost: () => this.#stopTimers(),
      failed: (error) => this.#failed(error),
      legacy: () => this.#events.legacy(),
      unreached: () => this.#events.unreached(),
    });
  }

  get pending(): number {
    return this.#pending;
  }

  start(): void {
    this.#session.socket.start();
  }

  close(): void {
    this.#stopTimers();
    this.#session.socket.close();
  }

  pump(): void {
    // a hot path: while gathering, a record costs one comparison until a frame is full
    if (this.#busy && !this.#full) return;
    if (this.#session.socket.isReady) this.#send();
  }

  get #full(): boolean {
    return this.#outbox.length >= MAX_RECORDS ||
      this.#outbox.units + this.#outbox.length >= this.#frameUnits;
  }

  #send(): void {
    while (this.#sent < this.#frames.length) {
      if (!this.#fits(this.#frames[this.#sent].text.length)) return;
      this.#sendFrame(this.#frames[this.#sent]);
    }
    while (this.#outbox.length > 0 && !this.#sealing) {
      if (!this.#full && this.#isBusy()) return;
      if (!this.#fits(Math.min(this.#outbox.units, this.#frameUnits))) {
        // an acknowledgement opens the window again
        this.#busy = true;
        return;
      }
      const lines = this.#outbox.take(MAX_RECORDS, this.#frameUnits);
      const closing = this.#outbox.length === 0 ? this.#outbox.closing : undefined;
      if (this.#sealer !== undefined) this.#seal(this.#sealer, lines, closing);
      else this.#sendFrame(this.#frame(lines, closing));
    }
  }

  /** Makes the next frame; from here on it stays as it is. */
  #frame(lines: string[], closing: Closing | undefined): SentFrame {
    const frame: SentFrame = { n: lines.length, s: this.#next, text: lines.join("\n") };
    if (closing !== undefined) {
      frame.close = closing.kind;
      this.#closeSent = true;
    }
    this.#next += frame.n;
    this.#pending += frame.text.length;
    this.#frames.push(frame);
    return frame;
  }

  async #seal(sealer: FrameSealer, lines: string[], closing: Closing | undefined): Promise<void> {
    const units = lines.reduce((sum, line) => sum + line.length, 0);
    this.#sealing = this.#busy = true;
    this.#pending += units;
    try {
      this.#frame(await sealer.seal(lines, closing !== undefined), closing);
    } catch (error) {
      return this.#session.socket.fail(StreamError.from(error));
    } finally {
      this.#sealing = this.#busy = false;
      this.#pending -= units;
    }
    // the connection may be another one by now, or none
    if (this.#session.socket.isReady) this.#send();
  }

  #sendFrame({ n, s, text, close }: SentFrame): void {
    const header = close === undefined ? { n, e: this.#epoch, s } : { n, e: this.#epoch, s, close };
    this.#session.socket.send(encodeFrame(header, text));
    if (this.#sent++ === 0) this.#heard = Date.now();
    this.#watch();
    this.#inFlight += text.length;
  }

  #fits(units: number): boolean {
    // one frame may always be under way while the window is open, else a small window would stop it all
    return this.#inFlight === 0 ? this.#window > 0 : this.#inFlight + units <= this.#window;
  }

  #isBusy(): boolean {
    if (this.#sent === 0) return this.#busy = false;
    if (this.#sent >= MAX_UNACKED) return this.#busy = true;
    this.#busy = this.#session.socket.bufferedAmount > 0;
    // no event tells that the socket has drained, and on a long way the acknowledgement comes much later
    if (this.#busy && this.#recheck === undefined) {
      this.#recheck = setTimeout(() => {
        this.#recheck = undefined;
        this.#busy = false;
        this.pump();
      }, 0);
    }
    return this.#busy;
  }

  #accepted(hello: RelayHello): void {
    this.#epoch = hello.epoch ?? 1;
    this.#window = hello.window ?? 1024 * 1024;
    if (hello.maxMessage !== undefined) {
      this.maxMessage = hello.maxMessage;
      this.#frameUnits = this.#sealer === undefined
        ? unitsWithin(hello.maxMessage)
        : Math.min(MAX_UNITS, FrameSealer.unitsWithin(hello.maxMessage));
    }
    this.#sealer?.claimed(this.#epoch, hello.next);
    this.#sent = 0;
    this.#inFlight = 0;
    this.#busy = false;
    const first = this.#frames[0]?.s ?? this.#next;
    if (this.#next === 0 && this.#sealer === undefined) this.#next = hello.next;
    else if (hello.next < first || hello.next > this.#next) {
      this.#session.socket.fail(
        new StreamError(
          "relay_restarted",
          `The relay ${this.#session.socket.url} wants seq ${hello.next} next, expected one from ${first} to ${this.#next}`,
        ),
      );
      return;
    }
    this.#drop(hello.next);
    this.#slice(hello.next);
    this.#events.ready();
    if (hello.cancel !== undefined) this.#events.cancelled(hello.cancel);
    if (this.#acknowledged()) return;
    if (hello.end !== undefined) return this.#ended(hello.end);
    this.#events.progress();
    this.#send();
  }

  #control({ ack, cancel, end }: Control): void {
    if (ack !== undefined) {
      this.#window = ack.window;
      this.#heard = Date.now();
      this.#drop(ack.next);
      this.#busy = false;
      if (this.#acknowledged()) return;
      this.#send();
      this.#events.progress();
    } else if (cancel !== undefined) this.#events.cancelled(cancel);
    else if (end !== undefined) this.#ended(end);
  }

  /** Forgets what the relay has committed. */
  #drop(next: number): void {
    while (this.#frames.length > 0) {
      const { s, n, text } = this.#frames[0];
      if (s + n > next) return;
      this.#frames.shift();
      this.#pending -= text.length;
      if (this.#sent > 0) {
        this.#sent--;
        this.#inFlight -= text.length;
      }
    }
  }

  /** Cuts what was committed off the first frame. */
  #slice(next: number): void {
    const frame = this.#frames[0];
    if (frame === undefined || frame.s >= next) return;
    const rest = frame.text.split("\n").slice(next - frame.s).join("\n");
    this.#pending -= frame.text.length - rest.length;
    frame.n -= next - frame.s;
    frame.s = next;
    frame.text = rest;
  }

  #acknowledged(): boolean {
    if (!this.#closeSent || this.#frames.length > 0) return false;
    this.close();
    this.#events.finished();
    return true;
  }

  #ended(end: ChannelEnd): void {
    if (end.by === "producer" && this.#closeSent) {
      this.#drop(Infinity);
      this.#acknowledged();
    } else this.#session.socket.fail(endedBy(end));
  }

  #failed(error: StreamError): void {
    this.#stopTimers();
    if (error.code !== "ended" || !this.#closeSent) {
      return this.#events.failed(error);
    }
    // the acknowledgement of our own end may be what the cut swallowed
    const written = { instance: this.#identity.instance, next: this.#next };
    isOwnEnd(this.#options, written, error).then((ours) => {
      if (ours) {
        this.#drop(Infinity);
        this.#acknowledged();
      } else this.#events.failed(error);
    });
  }

  /**
   * A path can die without a word, at a firewall that forgot the connection: an acknowledgement that
   * doesn't come is all there is to tell by. One timer at most, whatever the rate.
   */
  #watch(after = this.#identity.ackTimeout): void {
    this.#watchdog ??= setTimeout(() => {
      this.#watchdog = undefined;
      if (this.#sent === 0) return;
      const left = this.#heard + this.#identity.ackTimeout - Date.now();
      if (left > 0) return this.#watch(left);
      const { socket } = this.#session;
      socket.reopen(
        new StreamError(
          "unreachable",
          `The relay ${socket.url} acknowledged nothing for ${this.#identity.ackTimeout} ms`,
        ),
      );
    }, after);
  }

  #stopTimers(): void {
    clearTimeout(this.#recheck);
    clearTimeout(this.#watchdog);
    this.#recheck = this.#watchdog = undefined;
    this.#busy = false;
  }
}

/** A UTF-16 unit is three bytes of UTF-8 at most, so that no frame has to be measured. */
function unitsWithin(maxMessage: number): number {
  const units = Math.floor((maxMessage - HEADER_BYTES) / 3);
  return Math.max(1, Math.min(MAX_UNITS, units));
}
