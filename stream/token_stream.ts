/**
 * What a consumer, an executor and a provider all return: one stream of text that tells how it ended.
 *
 * @module
 */
import type { DoneEvent, ErrorEvent, StreamEvent, Usage } from "./event.ts";
import { ReadingPlace } from "./reading_place.ts";
import { encodeResumeToken } from "./resume_token.ts";
import { StreamError } from "./stream_error.ts";
import { shareSource } from "./share_source.ts";
import type { JobInfo, TokenStreamSource } from "./token_source.ts";
import type { CancelAck } from "./v2_control.ts";

/** How a stream ended. */
export interface StreamResult {
  /** `completed`, `length`, or the code of the error. */
  reason: string;
  /** Numbers, where the producer gave some. */
  usage?: Usage;
  /** Anything else the producer said at the end. */
  meta?: Record<string, unknown>;
  /** The job. */
  job: JobInfo;
  /** The error, for every failing end. */
  error?: StreamError;
}

/**
 * One stream of tokens. It is read once: the first of iterating, `events`, `text`, `onChunk`, `drain`,
 * `toReadableStream`, `toResponse` and `tee` claims it, and a second one throws.
 *
 * Iterating throws a {@linkcode StreamError} for every failing end, so text that is complete and text
 * that broke off can't be mistaken for each other.
 *
 * @example
 * ```ts
 * import { TokenStream } from "./token_stream.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const stream = new TokenStream({
 *   async *read() {
 *     yield { events: [{ type: "token", content: "Hello" }] };
 *     yield { events: [{ type: "done", reason: "completed" }] };
 *   },
 * });
 * assertEquals(await stream.text(), "Hello");
 * assertEquals((await stream.result).reason, "completed");
 * ```
 */
export class TokenStream implements AsyncIterable<string> {
  /**
   * How it ended. It never rejects and never drives the stream: something must read it, unless the
   * source learns of the end by itself, as an executor does.
   */
  readonly result: Promise<StreamResult>;
  #source: TokenStreamSource;
  #claimed = "";
  #job: JobInfo = {};
  #place: ReadingPlace;
  #cancelling = false;
  #settle!: (result: StreamResult) => void;

  /**
   * Makes a stream over a source; nothing is read until somebody claims it.
   *
   * @param source Where the events come from.
   */
  constructor(source: TokenStreamSource) {
    this.#source = source;
    this.#place = new ReadingPlace(source.from);
    this.result = new Promise((resolve) => this.#settle = resolve);
    source.ended?.then((end) => this.#finish(end));
  }

  /** What is known of the job: id, node, state. */
  get job(): JobInfo {
    return { ...this.#job, ...this.#source.job?.() };
  }

  /**
   * The place after the last event that was read, to come back to with `RelayConsumer`; `undefined`
   * for a stream that stands in no channel.
   */
  get resumeToken(): string | undefined {
    const channel = this.#source.channel?.();
    return channel && encodeResumeToken({ ...channel, ...this.#place.reached });
  }

  /** The text, token by token. After a restart of the job it throws if text was delivered before. */
  [Symbol.asyncIterator](): AsyncIterator<string> {
    return this.#tokens(this.#claim("iterating"));
  }

  /** Every event, the end included; it throws for no failing end, because the end is an event here. */
  async *events(): AsyncGenerator<StreamEvent, void, undefined> {
    for await (const batch of this.#claim("events()")) {
      for (const event of batch) {
        this.#place.read++;
        yield event;
      }
    }
  }

  /**
   * The whole text; after a restart, the last attempt's.
   *
   * @returns The text.
   * @throws {StreamError} For every failing end.
   */
  async text(): Promise<string> {
    let text = "";
    for await (const batch of this.#claim("text()")) {
      for (const event of batch) {
        if (event.type === "token") text += event.content;
        else if (isRestart(event)) text = "";
        else if (event.type === "error") this.#throwUnlessCancelled(event);
      }
    }
    return text;
  }

  /**
   * The callback form: calls back for every event, one after the other.
   *
   * @param callback Called with each event; a promise it returns is waited for.
   * @returns The result.
   * @throws {StreamError} For every failing end, after the callback has seen it.
   */
  async onChunk(
    callback: (event: StreamEvent) => void | Promise<void>,
  ): Promise<StreamResult> {
    for await (const batch of this.#claim("onChunk()")) {
      for (const event of batch) {
        this.#place.read++;
        const pending = callback(event);
        if (pending) await pending;
        if (event.type === "error") this.#throwUnlessCancelled(event);
      }
    }
    return await this.result;
  }

  /**
   * Reads to the end and keeps nothing.
   *
   * @returns The result; a failing end is told there and not thrown.
   */
  async drain(): Promise<StreamResult> {
    for await (const _ of this.#claim("drain()"));
    return await this.result;
  }

  /** The text as a web stream of strings; it errors with a {@linkcode StreamError}. */
  toReadableStream(): ReadableStream<string> {
    const tokens = this.#tokens(this.#claim("toReadableStream()"));
    return new ReadableStream<string>({
      async pull(controller) {
        const { done, value } = await tokens.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await tokens.return?.();
      },
    }, { highWaterMark: 0 });
  }

  /**
   * The text as an HTTP answer. A failing end breaks the body off, so that it can't look complete.
   *
   * @param init Status and headers; `content-type` is `text/plain; charset=utf-8` unless given.
   * @returns The answer.
   */
  toResponse(init: ResponseInit = {}): Response {
    const headers = new Headers(init.headers);
    if (!headers.has("content-type")) {
      headers.set("content-type", "text/plain; charset=utf-8");
    }
    const body = this.toReadableStream().pipeThrough(new TextEncoderStream());
    return new Response(body, { ...init, headers });
  }

  /**
   * Several streams with the same events. Where a relay keeps them each branch reads it by offset, at
   * a pace of its own; otherwise the slowest branch holds the others at `bound`.
   *
   * @param count How many; 2 by default.
   * @param bound How many batches of events a branch may lie behind, where no relay keeps them.
   * @returns The branches.
   */
  tee(count = 2, bound = 256): TokenStream[] {
    this.#claim("tee()");
    const source = this.#source;
    const reads = source.rereadable
      ? Array.from({ length: count }, () => () => source.read())
      : shareSource(source, count, bound);
    return reads.map((read) =>
      new TokenStream({
        read,
        rereadable: source.rereadable,
        ended: source.ended,
        cancel: source.cancel?.bind(source),
        channel: source.channel?.bind(source),
        from: source.from,
        job: () => this.job,
      })
    );
  }

  /**
   * Asks that whatever makes the tokens stop; the stream then ends quietly.
   *
   * @param reason Why, for whoever looks at the channel later.
   * @returns How far the wish got: kept by the relay, seen by the producer, carried out by the scheduler.
   * @throws {StreamError} `unsupported` where the source can't be cancelled.
   */
  async cancel(reason?: string): Promise<CancelAck> {
    if (!this.#source.cancel) {
      throw new StreamError(
        "unsupported",
        "Cannot cancel: what this stream reads can't be stopped",
      );
    }
    this.#cancelling = true;
    return await this.#source.cancel(reason);
  }

  #claim(what: string): AsyncIterable<StreamEvent[]> {
    if (this.#claimed) {
      throw new TypeError(
        `Cannot read stream by ${what}: it is read by ${this.#claimed} already, expected one reader (tee() makes more)`,
      );
    }
    this.#claimed = what;
    return { [Symbol.asyncIterator]: () => this.#observe() };
  }

  /** Passes batches on and keeps account of what they tell. */
  async *#observe(): AsyncGenerator<StreamEvent[], void, undefined> {
    for await (const batch of this.#source.read()) {
      const events = this.#place.begin(batch);
      for (const event of events) {
        if (event.type === "status") this.#note(event);
        else if (event.type === "done" || event.type === "error") {
          this.#finish(event);
        }
      }
      yield events;
      this.#place.read = batch.events.length;
    }
  }

  #note(event: StreamEvent & { type: "status" }): void {
    this.#job.state = event.state;
    if (event.jobId) this.#job.id = event.jobId;
    if (event.node) this.#job.node = event.node;
  }

  #finish(end: DoneEvent | ErrorEvent): void {
    const job = this.job;
    if (end.type === "error") {
      const { code, message, details } = end;
      const error = new StreamError(code, message, details && { details });
      this.#settle({ reason: code, job, error });
    } else {
      this.#settle({
        reason: end.reason,
        usage: end.usage,
        meta: end.meta,
        job,
      });
    }
  }

  /** A hand-written iterator: an async generator costs several promises a token. */
  #tokens(batches: AsyncIterable<StreamEvent[]>): AsyncIterator<string> {
    const source = batches[Symbol.asyncIterator]();
    let batch: StreamEvent[] = [];
    let at = 0;
    let delivered = false;
    const scan = (): IteratorResult<string> | undefined => {
      while (at < batch.length) {
        const event = batch[at++];
        this.#place.read++;
        if (event.type === "token") {
          delivered = true;
          return { done: false, value: event.content };
        }
        if (event.type === "error") this.#throwUnlessCancelled(event);
        if (delivered && isRestart(event)) {
          throw new StreamError(
            "restarted",
            "The job started over after text had been delivered; text() gives the last attempt's",
          );
        }
      }
    };
    const advance = async (): Promise<IteratorResult<string>> => {
      try {
        for (;;) {
          const found = scan();
          if (found) return found;
          const next = await source.next();
          if (next.done) return { done: true, value: undefined };
          batch = next.value;
          at = 0;
        }
      } catch (error) {
        batch = [];
        await source.return?.();
        throw error;
      }
    };
    return {
      next: () => {
        const event = batch[at];
        if (event?.type !== "token") return advance();
        at++;
        this.#place.read++;
        delivered = true;
        return Promise.resolve({ done: false, value: event.content });
      },
      return: async () => {
        batch = [];
        await source.return?.();
        return { done: true, value: undefined };
      },
    };
  }

  #throwUnlessCancelled(event: ErrorEvent): void {
    if (event.code === "cancelled" && this.#cancelling) return;
    const { code, message, details } = event;
    throw new StreamError(code, message, details && { details });
  }
}

function isRestart(event: StreamEvent): boolean {
  return event.type === "status" && event.state === "restarted";
}
