/**
 * A stand-in for an OpenAI-compatible server that sends its events one byte at
 * a time, so that every possible cut is made.
 *
 * @module
 */

/** One event with a delta. */
export function chunk(
  delta: Record<string, unknown>,
  finish: string | null = null,
): string {
  const choices = [{ index: 0, delta, finish_reason: finish }];
  return `data: ${JSON.stringify({ object: "chat.completion.chunk", choices })}\n\n`;
}

/** The events of a whole answer. */
export function answered(content: string, end = "data: [DONE]\n\n"): string {
  return chunk({ content }) + chunk({}, "stop") + end;
}

/** What the server was asked. */
export interface Asked {
  /** The path of the URL. */
  path: string;
  /** The header of that name. */
  authorization: string | null;
  /** The parsed body. */
  body: unknown;
}

/** A running stand-in; `await using` stops it. */
export interface StandIn extends AsyncDisposable {
  /** Its base URL, with `/v1`. */
  url: string;
  /** All requests so far. */
  requests: Asked[];
}

/** Answers every request with the given events, or with the response made. */
export function openAiStandIn(
  answer: string | (() => AsyncIterable<string> | Response),
): StandIn {
  const requests: Asked[] = [];
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: () => {},
  }, async (request) => {
    requests.push({
      path: new URL(request.url).pathname,
      authorization: request.headers.get("authorization"),
      body: await request.json(),
    });
    const made = typeof answer === "string" ? [answer] : answer();
    if (made instanceof Response) return made;
    return new Response(ReadableStream.from(byteByByte(made)), {
      headers: { "content-type": "text/event-stream" },
    });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/v1`,
    requests,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function* byteByByte(
  texts: Iterable<string> | AsyncIterable<string>,
): AsyncGenerator<Uint8Array> {
  for await (const text of texts) {
    for (const byte of new TextEncoder().encode(text)) {
      yield Uint8Array.of(byte);
    }
  }
}
