/**
 * The writing end of a channel.
 *
 * @module
 */
import { type CloseKind, randomId, StreamError } from "../stream/mod.ts";
import { type ResolvedOptions, resolveOptions } from "./client_options.ts";
import { FrameSealer } from "./frame_sealer.ts";
import { Outbox } from "./outbox.ts";
import { cancelError, type ProducerEvents, type ProducerLink } from "./producer_link.ts";
import { producerLinkOf } from "./producer_link_of.ts";
import type { DoneOptions, Failure, ProducerOptions } from "./producer_options.ts";
import { describeFailure, recordLine, splitText, tokenLine } from "./record_line.ts";
import { Sealer } from "./sealer.ts";
import { type PipeSource, readText } from "./text_source.ts";
import { Waiters } from "./waiters.ts";

const RESOLVED = Promise.resolve();
/** A longer text is sent as several tokens: a record must fit into a message of the relay's. */
const TOKEN_UNITS = 16 * 1024;

/**
 * Sends a stream's text to a relay. After a cut it goes on where the relay stood; a token is sent at once
 * while the way is free, and with its neighbours while it is not.
 *
 * It connects at the first use. Once it has failed for good (fenced, forbidden, ended by somebody else,
 * the relay gone for longer than the patience) every call rejects with that {@linkcode StreamError}.
 *
 * @example
 * ```ts
 * import { serveRelay } from "../server/mod.ts";
 * import { ControlClient, RelayConsumer, RelayProducer } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const token = "a-long-random-secret";
 * const relay = await serveRelay({ port: 0, secret: token });
 * const { id: channel } = await new ControlClient({ url: relay.url, token }).createChannel();
 *
 * const producer = new RelayProducer({ url: relay.url, channel, token });
 * for (const word of ["Hello", " ", "world"]) await producer.token(word);
 * await producer.done();
 *
 * assertEquals(await new RelayConsumer({ url: relay.url, channel, token }).stream().text(), "Hello world");
 * await relay.close();
 * ```
 */
export class RelayProducer {
  #options: ResolvedOptions;
  #maxBuffer: number;
  #outbox = new Outbox();
  #sealer?: Sealer;
  #link: ProducerLink;
  #abort = new AbortController();
  #started = false;
  #isReady = false;
  #failure?: StreamError;
  /** Why nothing more may be sent: the failure, or that the end was given. */
  #shut?: StreamError;
  #ending?: Promise<void>;
  #finished = false;
  #told = false;
  #waiters = new Waiters();

  /**
   * Makes a producer; it connects when it is used.
   *
   * @param options Relay, channel, credential, key, buffer; what is missing comes from the environment.
   * @throws {StreamError} `bad_request` for a missing or malformed URL, channel or key.
   */
  constructor(options: ProducerOptions = {}) {
    const { protocol = "auto" } = options;
    this.#options = resolveOptions({ ...options, protocol: protocol === "http" ? "v2" : protocol });
    this.#maxBuffer = options.maxBuffer ?? 4 * 1024 * 1024;
    const identity = {
      instance: options.instance ?? randomId(),
      continues: options.continues,
      ackTimeout: options.ackTimeout ?? 30_000,
      heartbeat: options.heartbeat ?? 15_000,
    };
    const { key, encryption } = this.#options;
    // v2 is the link's: it seals for the claim that it holds
    if (key !== undefined && encryption === "v1") {
      this.#sealer = new Sealer(
        key,
        (line) => this.#enqueue(line),
        (error) => this.#fail(StreamError.from(error)),
      );
    }
    this.#link = producerLinkOf(
      protocol,
      this.#options,
      identity,
      this.#outbox,
      this.#events(),
    );
  }

  /**
   * Fires when the work should stop: with `cancelled` when somebody asked for that, or with the error that
   * ended this producer (`fenced` and the like). After a cancel the producer can still send; `fail()` with
   * the signal's reason is the right end, and {@linkcode RelayProducer.pipe} does it by itself.
   */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Bytes that are not acknowledged yet. */
  get bytesPending(): number {
    return this.#outbox.units + this.#link.pending + (this.#sealer?.units ?? 0);
  }

  /** Connects, and resolves once the relay has accepted this producer. */
  connect(): Promise<void> {
    this.#start();
    return this.#until(() => this.#isReady);
  }

  /**
   * Sends a piece of text. Waits only while more than `maxBuffer` is not acknowledged. Lone surrogates
   * become U+FFFD; a very long text becomes several tokens.
   *
   * @param text The text.
   * @throws {StreamError} What ended this producer; `ended` after its own end.
   */
  token(text: string): Promise<void> {
    if (this.#shut !== undefined) return this.#refuse();
    if (text.length > TOKEN_UNITS) return this.#longToken(text);
    return this.#push(tokenLine(text));
  }

  /**
   * Sends a value that is not text.
   *
   * @param payload Any JSON value.
   * @throws {StreamError} `bad_request` for what isn't JSON, `too_large` beyond the relay's message size.
   */
  data(payload: unknown): Promise<void> {
    return this.#record({ type: "data", payload: payload ?? null });
  }

  /**
   * Tells how the job is doing.
   *
   * @param state `loading`, `running`, or a word of your own.
   * @param more `progress`, `node`, `jobId`, `reason`, `details` …
   */
  status(state: string, more: Record<string, unknown> = {}): Promise<void> {
    return this.#record({ ...more, type: "status", state, ts: Date.now() });
  }

  /**
   * Ends the stream as complete.
   *
   * @param end Reason, usage, meta.
   * @returns Resolved when the relay has acknowledged the end.
   */
  done(end: DoneOptions = {}): Promise<void> {
    const { reason = "completed", usage, meta } = end;
    const record = { type: "done", reason, usage, meta, ts: Date.now() };
    return this.#end(record, "done");
  }

  /**
   * Ends the stream as failed.
   *
   * @param error What was thrown, or `{ code?, message, details? }`.
   * @returns Resolved when the relay has acknowledged the end.
   */
  fail(error: unknown | Failure): Promise<void> {
    const record = { type: "error", ...describeFailure(error), ts: Date.now() };
    return this.#end(record, "error");
  }

  /**
   * Sends all of a source and ends the stream: with `done` when the source ends, with its error when it
   * throws, with `cancelled` when somebody cancels, in which case the source is let go of.
   *
   * @param source Text, or bytes that are taken as UTF-8; a character is never split.
   * @returns Resolved when the relay has acknowledged the end, whichever it was.
   * @throws {StreamError} What ended this producer from outside.
   */
  async pipe(source: PipeSource): Promise<void> {
    this.#start();
    try {
      for await (const text of readText(source, this.signal)) {
        await this.token(text);
      }
    } catch (error) {
      if (this.#failure !== undefined) throw this.#failure;
      return await this.fail(error);
    }
    await this.done();
  }

  /** The same as a web stream: closing it is `done()`, aborting it is `fail()`. */
  get writable(): WritableStream<string> {
    return new WritableStream<string>({
      write: (text) => this.token(text),
      close: () => this.done(),
      abort: (reason) => this.fail(reason),
    });
  }

  /**
   * Waits until everything is acknowledged and lets go of the connection. Without `done()` or `fail()`
   * before, the relay takes it as a disappearance.
   */
  async close(): Promise<void> {
    try {
      if (this.#ending !== undefined) return await this.#ending;
      this.#shut ??= new StreamError(
        "ended",
        "Cannot send: the producer was closed",
      );
      if (this.#started) await this.#until(() => this.bytesPending === 0);
    } finally {
      this.#link.close();
    }
  }

  /**
   * The same as {@linkcode RelayProducer.close}. A block that is left by an error looks the same from
   * here as one that is not, so leaving it is never taken for `done()`: that has to be said.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#shut === undefined) await this.close();
    else if (this.#failure === undefined) await this.close();
    // a failure that no call has told yet must not pass for success
    else if (!this.#told) throw this.#failure;
  }

  /** All pieces at once: waiting between them would let another call's text in. */
  #longToken(text: string): Promise<void> {
    let last = RESOLVED;
    for (const piece of splitText(text, TOKEN_UNITS)) last = this.token(piece);
    return last;
  }

  #record(record: unknown): Promise<void> {
    if (this.#shut !== undefined) return this.#refuse();
    try {
      return this.#push(recordLine(record, this.#maxRecord));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #push(line: string): Promise<void> {
    if (!this.#started) this.#start();
    if (this.#sealer === undefined) this.#enqueue(line);
    else this.#sealer.push(line);
    return this.#hasRoom() ? RESOLVED : this.#until(() => this.#hasRoom());
  }

  /** Bytes a record may have: what the relay takes, less a header, and less what base64 adds. */
  get #maxRecord(): number {
    const { maxMessage } = this.#link;
    if (this.#options.encryption !== undefined) return FrameSealer.bytesWithin(maxMessage);
    return maxMessage - 256;
  }

  #hasRoom(): boolean {
    return this.bytesPending < this.#maxBuffer;
  }

  #enqueue(line: string): void {
    this.#outbox.push(line);
    this.#link.pump();
  }

  #end(record: unknown, verdict: "done" | "error"): Promise<void> {
    if (this.#ending !== undefined && verdict === "done") return this.#ending;
    if (this.#shut !== undefined) return this.#refuse();
    let line: string;
    try {
      line = recordLine(record, this.#maxRecord);
    } catch (error) {
      return Promise.reject(error);
    }
    this.#shut = new StreamError(
      "ended",
      `Cannot send: the stream was ended by ${verdict === "done" ? "done()" : "fail()"}`,
    );
    this.#start();
    // v1's consumers, Python's, stop at a `done` only
    const tail = verdict === "error" ? '{"type":"done"}' : undefined;
    // that it failed is told, so that a supervisor hears of it; how is inside
    const kind = verdict === "done" && this.#options.encryption !== undefined ? "sealed" : verdict;
    if (this.#sealer === undefined) this.#close(line, kind, tail);
    else {
      this.#sealer.push(line, (sealed) => {
        if (tail === undefined) this.#close(sealed, kind);
        else this.#sealer!.push(tail, (sealedTail) => this.#close(sealed, kind, sealedTail));
      });
    }
    this.#ending = this.#until(() => this.#finished);
    return this.#ending;
  }

  #close(line: string, kind: CloseKind, v1Tail?: string): void {
    this.#outbox.closing = { kind, v1Tail };
    this.#enqueue(line);
  }

  #start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#link.start();
  }

  #events(): ProducerEvents {
    return {
      ready: () => {
        this.#isReady = true;
        this.#waiters.settle();
      },
      progress: () => this.#waiters.settle(),
      finished: () => {
        this.#finished = true;
        this.#waiters.settle();
      },
      cancelled: (cancel) => this.#abort.abort(cancelError(cancel)),
      failed: (error) => this.#fail(error),
    };
  }

  #fail(error: StreamError): void {
    if (this.#failure !== undefined) return;
    this.#failure = this.#shut = error;
    this.#link.close();
    if (this.#waiters.fail(error)) this.#told = true;
    this.#abort.abort(error);
  }

  #refuse(): Promise<never> {
    if (this.#failure !== undefined) this.#told = true;
    return Promise.reject(this.#shut);
  }

  #until(met: () => boolean): Promise<void> {
    return this.#failure === undefined ? this.#waiters.until(met) : this.#refuse();
  }
}
