/**
 * The pipe: a stream for tools that know nothing of it, such as curl.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import { type ChannelEnd, parseEvent, randomId, StreamError } from "../../stream/mod.ts";
import type { Channel } from "../channel.ts";
import type { ProducerLink } from "../channel_links.ts";
import type { ReaderSink } from "../reader.ts";
import type { RelayContext } from "../relay_context.ts";
import type { StoredFrame } from "../store/store.ts";
import type { Grant } from "../tokens.ts";

/** Bytes of text queued to a `GET` before it waits. */
const GET_QUEUE_BYTES = 256 * 1024;

/**
 * The routes under `/v1/pipe`.
 *
 * @param relay The relay.
 * @param grantOf Finds out what a request's credential allows.
 * @returns The routes.
 */
export function pipe(
  relay: RelayContext,
  grantOf: (context: Context) => Promise<Grant>,
): Hono {
  const app = new Hono();
  app.on(["PUT", "POST"], "/:id", async (context) => {
    const end = context.req.query("end");
    if (end !== undefined && end !== "eof") {
      throw new StreamError(
        "bad_request",
        `Cannot read parameter end: it is ${JSON.stringify(end)}, expected eof`,
      );
    }
    const grant = await grantOf(context);
    const channel = await relay.channels.open(
      context.req.param("id"),
      grant,
      "produce",
    );
    return context.json(
      await upload(channel, context.req.raw.body, end === "eof"),
    );
  });
  app.get("/:id", async (context) => {
    const grant = await grantOf(context);
    const channel = await relay.channels.open(
      context.req.param("id"),
      grant,
      "consume",
    );
    return context.body(download(channel), 200, {
      "content-type": "text/plain; charset=utf-8",
      "cache-control": "no-cache",
      "x-accel-buffering": "no",
    });
  });
  return app;
}

async function upload(
  channel: Channel,
  body: ReadableStream<Uint8Array> | null,
  endsAtEof: boolean,
): Promise<{ next: number; end?: ChannelEnd }> {
  const instance = randomId();
  const release = channel.hold();
  let leave: ((vanished: boolean) => void) | undefined;
  let vanished = true;
  let seq = 0;
  try {
    const { epoch } = await channel.claim(instance);
    let stop: (error: StreamError) => void = () => {};
    const stopped = new Promise<never>((_, reject) => stop = reject);
    stopped.catch(() => {});
    leave = channel.attachProducer(new PipeLink(epoch, (error) => stop(error)));
    if (channel.cancel) throw cancelled();
    const append = async (text: string, close?: "done") => {
      await channel.append(
        { origin: "producer", id: instance, epoch, seq: seq++, span: 1 },
        { n: 1, text },
        close,
      );
    };
    const decoder = new TextDecoder();
    const token = async (content: string) => {
      if (content !== "") {
        await append(JSON.stringify({ type: "token", content }));
      }
    };
    const reader = body?.getReader();
    for (;;) {
      const chunk = await Promise.race([reader?.read(), stopped]);
      if (!chunk || chunk.done) break;
      await token(decoder.decode(chunk.value, { stream: true }));
    }
    await token(decoder.decode());
    if (endsAtEof) {
      vanished = false;
      await append(
        JSON.stringify({ type: "done", reason: "completed", ts: Date.now() }),
        "done",
      );
    }
    return { next: seq, end: channel.end };
  } catch (error) {
    if (error instanceof StreamError && error.code === "cancelled") {
      vanished = false;
      await channel.setEnd("producer", "error", error.toJSON());
    }
    throw error;
  } finally {
    leave?.(vanished);
    release();
  }
}

function cancelled(): StreamError {
  return new StreamError("cancelled", "The stream was cancelled on request");
}

class PipeLink implements ProducerLink {
  readonly face = "pipe";
  readonly epoch: number;
  #stop: (error: StreamError) => void;

  constructor(epoch: number, stop: (error: StreamError) => void) {
    this.epoch = epoch;
    this.#stop = stop;
  }

  cancel(): boolean {
    this.#stop(cancelled());
    return true;
  }

  fence(): void {
    this.#stop(
      new StreamError("fenced", "A newer producer has claimed the channel"),
    );
  }

  ended(end: ChannelEnd): void {
    this.#stop(
      new StreamError("ended", `The channel has its end (${end.kind}) already`),
    );
  }

  gone(): void {
    this.#stop(new StreamError("expired", "The channel is gone"));
  }
}

function download(channel: Channel): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let leave = () => {};
  let pump = () => {};
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const fail = (error: unknown) => {
        leave();
        controller.error(error);
      };
      const sink: ReaderSink = {
        ready: () => (controller.desiredSize ?? 0) > 0,
        frame: (frame, from) => {
          const text = textOf(frame, from);
          if (text !== "") controller.enqueue(encoder.encode(text));
        },
        gap: () => {},
        // what broke off must not look complete: an error cuts the chunked body short
        ended: (end) => {
          if (end.kind !== "done") return fail(StreamError.parse(end));
          leave();
          controller.close();
        },
        failed: fail,
      };
      const attached = channel.attachReader(
        sink,
        0,
        () => fail(new StreamError("expired", "The channel is gone")),
      );
      leave = attached.leave;
      pump = () => attached.reader.pump();
      pump();
    },
    pull: () => pump(),
    cancel: () => leave(),
  }, new ByteLengthQueuingStrategy({ highWaterMark: GET_QUEUE_BYTES }));
}

function textOf({ text, first }: StoredFrame, from: number): string {
  let out = "";
  for (const line of text.split("\n").slice(from - first)) {
    const event = parseEvent(line);
    if (event.type === "token") out += event.content;
  }
  return out;
}
