/**
 * The reading end of a channel.
 *
 * @module
 */
import {
  type CancelAck,
  decodeResumeToken,
  type EventBatch,
  StreamError,
  TokenStream,
} from "../stream/mod.ts";
import { BatchQueue } from "./batch_queue.ts";
import { type ClientOptions, type ResolvedOptions, resolveOptions } from "./client_options.ts";
import { type ConsumerEvents, type ConsumerLink, isEnd } from "./consumer_link.ts";
import { ControlClient } from "./control_client.ts";
import { passOver, type Stopped } from "./pass_over.ts";
import { V1ConsumerLink } from "./v1_consumer_link.ts";
import { type ConsumerStart, V2ConsumerLink } from "./v2_consumer_link.ts";

/** Options of a {@linkcode RelayConsumer}. */
export interface ConsumerOptions extends ClientOptions {
  /** First offset wanted; 0 by default. */
  from?: number;
  /** Where a stream was left: what its `resumeToken` gave. It names the channel, too. */
  resumeToken?: string;
  /** Bytes that may be under way or wait to be read; 1 MiB by default. */
  window?: number;
}

/**
 * Reads a channel as a {@linkcode TokenStream}. After a cut it goes on at the offset where it stood, and
 * whatever can't be gone on from ends the stream with a typed error.
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
 * const consumer = new RelayConsumer({ url: relay.url, channel, token });
 * const stream = consumer.stream();
 * await consumer.opened; // from here on a job can be submitted
 * const producer = new RelayProducer({ url: relay.url, channel, token });
 * await producer.pipe(ReadableStream.from(["Hello", " ", "world"]));
 *
 * let text = "";
 * for await (const token of stream) text += token;
 * assertEquals(text, "Hello world");
 * await relay.close();
 * ```
 */
export class RelayConsumer {
  #options: ResolvedOptions;
  #start: ConsumerStart;
  #passes = new Set<Pass>();
  #first?: Pass;
  #incarnation?: string;

  /**
   * Makes a consumer; it connects when it is used.
   *
   * @param options Relay, channel, credential, key, place, window; what is missing comes from the
   * environment.
   * @throws {StreamError} `bad_request` for a missing or malformed URL, channel, key, offset or resume
   * token.
   */
  constructor(options: ConsumerOptions = {}) {
    const { from = 0, resumeToken, window = 1024 * 1024 } = options;
    const point = resumeToken === undefined ? undefined : decodeResumeToken(resumeToken);
    this.#options = resolveOptions({
      ...options,
      channel: options.channel ?? point?.channel,
    });
    if (point !== undefined && point.channel !== this.#options.channel) {
      throw new StreamError(
        "bad_request",
        `Cannot resume channel ${this.#options.channel}: the resume token is one of channel ${point.channel}`,
      );
    }
    if (!Number.isSafeInteger(from) || from < 0) {
      throw new StreamError(
        "bad_request",
        `Cannot read from offset ${from}: expected a whole number from 0`,
      );
    }
    this.#start = {
      from: point?.offset ?? from,
      incarnation: point?.incarnation,
      session: point?.session,
      skip: point?.skip,
      window: Math.max(1, window),
    };
    if (this.#options.protocol === "v1" && this.#start.from > 0) {
      throw new StreamError(
        "unsupported",
        `Cannot read from offset ${this.#start.from} in v1: expected 0, or v2`,
      );
    }
  }

  /**
   * Resolves once the relay has accepted this consumer, so that a job can be submitted of which nothing
   * will be missed. Asking for it begins to connect.
   *
   * @throws {StreamError} What made connecting fail for good.
   */
  get opened(): Promise<void> {
    return this.#firstPass().opened;
  }

  /**
   * The channel's events as a stream; it begins to connect at once. Another call gives another stream,
   * with a connection of its own, from the same place on.
   */
  stream(): TokenStream {
    let first: Pass | undefined = this.#firstPass();
    if (first.given) first = undefined;
    else first.given = true;
    return new TokenStream({
      rereadable: true,
      read: () => {
        const pass = first ?? this.#newPass();
        first = undefined;
        pass.given = true;
        return pass.read();
      },
      cancel: (reason) => this.#cancel(reason),
      from: { offset: this.#start.from, session: this.#start.session, skip: this.#start.skip },
      channel: () => {
        const incarnation = this.#incarnation;
        return incarnation === undefined
          ? undefined
          : { channel: this.#options.channel, incarnation };
      },
    });
  }

  /**
   * The channel's events in the batches they arrive in, with their places: for a source of a stream of
   * one's own. It is one read of {@linkcode RelayConsumer.stream}.
   */
  batches(): AsyncIterable<EventBatch> {
    let pass = this.#firstPass();
    if (pass.given) pass = this.#newPass();
    pass.given = true;
    return pass.read();
  }

  /** Lets go of every connection; a stream that is not at its end fails with `cancelled`. */
  close(): void {
    for (const pass of this.#passes) {
      pass.fail(new StreamError("cancelled", "The consumer was closed"));
    }
  }

  /** The same as {@linkcode RelayConsumer.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  #firstPass(): Pass {
    return this.#first ??= this.#newPass();
  }

  #newPass(): Pass {
    const pass: Pass = new Pass(this.#options, this.#start, {
      incarnation: (incarnation) => this.#incarnation ??= incarnation,
      left: () => this.#passes.delete(pass),
    });
    this.#passes.add(pass);
    pass.start();
    return pass;
  }

  async #cancel(reason?: string): Promise<CancelAck> {
    for (const pass of this.#passes) {
      try {
        const asked = pass.cancel(reason);
        if (asked !== undefined) return await asked;
      } catch (error) {
        // a cut; the control API may still be reached
        if (!(error instanceof StreamError) || error.code !== "unreachable") {
          throw error;
        }
      }
    }
    const { urls, channel, token = "", signal } = this.#options;
    const control = new ControlClient({ url: urls.join(","), token, signal });
    return (await control.cancel(channel, reason)).ack;
  }
}

/** One read of the channel, from connecting to its end. */
class Pass {
  /** Whether a stream has it. */
  given = false;
  readonly opened: Promise<void>;
  #queue: BatchQueue;
  #stopped?: Stopped;
  #link: ConsumerLink;
  #options: ResolvedOptions;
  #told: { incarnation(incarnation: string): void; left(): void };
  #open!: () => void;
  #refuse!: (error: StreamError) => void;

  constructor(
    options: ResolvedOptions,
    start: ConsumerStart,
    told: { incarnation(incarnation: string): void; left(): void },
  ) {
    this.#options = options;
    this.#told = told;
    const { session, skip } = start;
    if (session !== undefined && skip) this.#stopped = { session, skip };
    this.opened = new Promise((resolve, reject) => {
      this.#open = resolve;
      this.#refuse = reject;
    });
    // the stream tells the same failure; nobody has to ask for `opened`
    this.opened.catch(() => {});
    this.#queue = new BatchQueue(
      (units) => this.#link.taken(units),
      () => {
        this.#link.close();
        told.left();
      },
    );
    this.#link = options.protocol === "v1"
      ? new V1ConsumerLink(options, this.#events())
      : new V2ConsumerLink(options, start, this.#events());
  }

  start(): void {
    this.#link.start();
  }

  read(): AsyncIterable<EventBatch> {
    return this.#stopped === undefined ? this.#queue : passOver(this.#queue, this.#stopped);
  }

  cancel(reason?: string): Promise<CancelAck> | undefined {
    return this.#link.cancel(reason);
  }

  fail(error: StreamError): void {
    const { code, message, details } = error.toJSON();
    const event = { type: "error" as const, code, message, ts: Date.now() };
    this.#refuse(error);
    this.#queue.push({ events: [details ? { ...event, details } : event] }, 0);
    this.#end();
  }

  #end(): void {
    this.#queue.finish();
    this.#link.close();
    this.#told.left();
  }

  #events(): ConsumerEvents {
    return {
      ready: () => {
        const { incarnation } = this.#link;
        if (incarnation !== undefined) this.#told.incarnation(incarnation);
        this.#open();
      },
      batch: (batch, units) => {
        if (batch.offset === undefined) this.#queue.append(batch, units);
        else this.#queue.push(batch, units);
        if (batch.events.some(isEnd)) this.#end();
      },
      failed: (error) => this.fail(error),
      legacy: () => {
        this.#link = new V1ConsumerLink(this.#options, this.#events());
        this.#link.start();
      },
    };
  }
}
