/**
 * The pipe: a stream for tools that know nothing of it, such as curl.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import { type ChannelEnd, parseEvent, randomId, StreamError } from "../../stream/mod.ts";
import type { Channel } from "../channel.ts";
import type { ProducerLink } from "../producer_link.ts";
import type { ReaderSink } from "../reader.ts";
import type { RelayContext } from "../relay_context.ts";
import type { StoredFrame } from "../store/store.ts";
import type { Grant } from "../tokens.ts";

/** Bytes of text queued to a `GET` before it waits. */
const GET_QUEUE_BYTES = 256 * 1024;

/** Milliseconds the last text gets to leave before a failing stream is cut. */
const FLUSH_MS = 20;

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
    const id = context.req.param("id");
    const { body } = context.req.raw;
    return context.json(
      await relay.channels.use(
        id,
        grant,
        "produce",
        async (channel) => {
          const visit = relay.audit.enter(grant, id, "produce", "pipe");
          try {
            return await upload(channel, body, end === "eof");
          } finally {
            visit.leave();
          }
        },
      ),
    );
  });
  app.get("/:id", async (context) => {
    const grant = await grantOf(context);
    const id = context.req.param("id");
    const text = await relay.channels.use(id, grant, "consume", (channel) => {
      const visit = relay.audit.enter(grant, id, "consume", "pipe");
      return download(channel, visit.leave);
    });
    return context.body(text, 200, {
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
  const { epoch } = await channel.claim(instance);
  const reader = body?.getReader();
  let stopped: StreamError | undefined;
  const leave = channel.attachProducer(
    new PipeLink(epoch, (error) => {
      stopped ??= error;
      // a read under way comes back at once, as if at the end
      reader?.cancel(error).catch(() => {});
    }),
  );
  if (channel.cancel) stopped = cancelled();
  let vanished = true;
  let seq = 0;
  const append = (text: string, close?: "done" | "error") =>
    channel.append(
      { origin: "producer", id: instance, epoch, seq: seq++, span: 1 },
      { n: 1, text },
      close,
    );
  const token = async (content: string) => {
    if (content !== "") await append(JSON.stringify({ type: "token", content }));
  };
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  try {
    while (!stopped) {
      const chunk = await reader?.read();
      if (!chunk || chunk.done) break;
      await token(decoder.decode(chunk.value, { stream: true }));
    }
    if (stopped) throw stopped;
    await token(decoder.decode());
    if (endsAtEof) {
      await append(JSON.stringify({ type: "done", reason: "completed", ts: Date.now() }), "done");
      vanished = false;
    }
    return { next: seq, end: channel.end };
  } catch (error) {
    if (stopped?.code !== "cancelled") throw stopped ?? error;
    await append(JSON.stringify({ type: "error", ...stopped.toJSON(), ts: Date.now() }), "error");
    vanished = false;
    throw stopped;
  } finally {
    leave(vanished);
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

  gone(why: StreamError): void {
    this.#stop(why);
  }
}

function download(channel: Channel, left: (bytes: number) => void): ReadableStream<Uint8Array> {
  let sent = 0;
  const encoder = new TextEncoder();
  let leave = () => {};
  let pump = () => {};
  let failure: { error: unknown } | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      // an error throws away what is queued: it waits until all text has been taken, and is on its way
      const breakOff = () => {
        if (!failure || controller.desiredSize !== GET_QUEUE_BYTES) return;
        const { error } = failure;
        timer ??= setTimeout(() => controller.error(error), FLUSH_MS);
      };
      const fail = (error: unknown) => {
        leave();
        failure = { error };
        breakOff();
      };
      const sink: ReaderSink = {
        room: () => controller.desiredSize ?? 0,
        wakes: () => true, // its reader pulls
        frame: (frame, from) => {
          const text = textOf(frame, from);
          if (text === "") return;
          const bytes = encoder.encode(text);
          sent += bytes.length;
          controller.enqueue(bytes);
        },
        gap: () => {},
        // what broke off must not look complete: an error cuts the chunked body short
        ended: (end) => {
          if (end.kind !== "done") return fail(StreamError.parse(end));
          leave();
          controller.close();
        },
        failed: fail,
        gone: fail,
      };
      const attached = channel.attachReader(sink, 0);
      leave = () => {
        attached.leave();
        left(sent);
      };
      pump = () => {
        if (failure) breakOff();
        else attached.reader.pump();
      };
      pump();
    },
    pull: () => pump(),
    cancel: () => {
      clearTimeout(timer);
      leave();
    },
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
