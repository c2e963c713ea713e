/**
 * Asks any OpenAI-compatible server (vLLM, Ollama, llama.cpp, SGLang, a
 * gateway) one question and yields its answer as it comes.
 *
 * @module
 */

import { eventData } from "./sse.ts";

/** What to ask, and whom. */
export interface ChatOptions {
  /** The base URL, up to and including `/v1`. */
  upstream: string;
  /** The model's name, as the server knows it. */
  model: string;
  /** The one user message. */
  prompt: string;
  /** Sent as a bearer token. */
  apiKey?: string;
  /** Also yield what a reasoning model thinks before it answers. */
  reasoning?: boolean;
  /** The most tokens to answer with; the server's default if absent. */
  maxTokens?: number;
  /** Asks for a repeatable answer, where the server can give one. */
  seed?: number;
}

/** The server could not be asked, refused, or broke off; the message is one sentence. */
export class UpstreamError extends Error {
  override name = "UpstreamError";
}

interface Chunk {
  error?: unknown;
  choices?: {
    index?: number;
    delta?: {
      content?: unknown;
      reasoning_content?: unknown;
      reasoning?: unknown;
    };
    finish_reason?: string | null;
  }[];
}

/** Yields the text of the answer, delta by delta; ends only if the server said it was finished. */
export async function* chatDeltas(
  options: ChatOptions,
): AsyncGenerator<string> {
  try {
    yield* deltas(await ask(options), options.reasoning ?? false);
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    // Some servers quote the key they refuse; a job's log must not.
    if (!options.apiKey || !error.message.includes(options.apiKey)) throw error;
    throw new UpstreamError(error.message.replaceAll(options.apiKey, "[key]"));
  }
}

async function ask(options: ChatOptions): Promise<ReadableStream<Uint8Array>> {
  const headers: Record<string, string> = {
    "content-type": "application/json",
    "accept": "text/event-stream",
  };
  if (options.apiKey) headers.authorization = `Bearer ${options.apiKey}`;
  let response: Response;
  try {
    response = await fetch(
      `${options.upstream.replace(/\/+$/, "")}/chat/completions`,
      {
        method: "POST",
        headers,
        body: JSON.stringify({
          model: options.model,
          messages: [{ role: "user", content: options.prompt }],
          stream: true,
          max_tokens: options.maxTokens, // undefined leaves the field out
          seed: options.seed,
        }),
      },
    );
  } catch (error) {
    throw new UpstreamError(
      `Cannot reach ${options.upstream}: ${reasonOf(error)}`,
      {
        cause: error,
      },
    );
  }
  const type = response.headers.get("content-type") ?? "";
  if (response.ok && response.body && !type.includes("json")) {
    return response.body;
  }
  const said = await whatItSaid(response);
  throw new UpstreamError(
    response.ok
      ? `The server sent no stream: ${said}`
      : `The server answered ${response.status}: ${said}`,
  );
}

async function* deltas(
  body: ReadableStream<Uint8Array>,
  reasoning: boolean,
): AsyncGenerator<string> {
  let finished = false;
  try {
    for await (const data of eventData(body)) {
      if (data === "[DONE]") break;
      const chunk = parse(data);
      if (chunk.error) {
        throw new UpstreamError(
          `The server broke off: ${messageOf(chunk.error)}`,
        );
      }
      const choice = chunk.choices?.find((choice) => (choice.index ?? 0) === 0);
      if (!choice) continue; // usage comes in a chunk without choices
      const { content, reasoning_content, reasoning: thought } = choice.delta ??
        {};
      const thinking = reasoning_content ?? thought; // vLLM renamed the field
      if (reasoning && typeof thinking === "string" && thinking) yield thinking;
      if (typeof content === "string" && content) yield content;
      if (choice.finish_reason === "error") {
        throw new UpstreamError("The server broke off without saying why");
      }
      if (choice.finish_reason) finished = true;
    }
  } catch (error) {
    if (error instanceof UpstreamError) throw error;
    // A cut after the finish reason loses nothing of the answer.
    if (finished) return;
    throw new UpstreamError(
      `The connection broke mid-answer: ${reasonOf(error)}`,
      {
        cause: error,
      },
    );
  }
  if (!finished) {
    throw new UpstreamError(
      "The stream ended without a finish_reason, so the answer is not whole",
    );
  }
}

function parse(data: string): Chunk {
  let chunk: unknown;
  try {
    chunk = JSON.parse(data);
  } catch (error) {
    throw new UpstreamError("The server sent a chunk that is not JSON", {
      cause: error,
    });
  }
  if (typeof chunk === "object" && chunk !== null) return chunk as Chunk;
  throw new UpstreamError("The server sent a chunk that is not an object");
}

async function whatItSaid(response: Response): Promise<string> {
  const text = await response.text().catch(() => "");
  try {
    const body = JSON.parse(text);
    return messageOf(body.error ?? body.message ?? body.detail ?? text);
  } catch {
    return messageOf(text);
  }
}

/** One line, of a length fit for a log, out of whatever an error field held. */
function messageOf(error: unknown): string {
  const message = typeof error === "object" && error !== null && "message" in error
    ? error.message
    : error;
  const text = typeof message === "string" ? message : JSON.stringify(message);
  return text.replace(/\s+/g, " ").trim().slice(0, 300) || "(nothing)";
}

function reasonOf(error: unknown): string {
  // Node's fetch says only "fetch failed"; its cause knows more.
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return messageOf(
    cause instanceof Error ? cause.message || cause.name : String(cause),
  );
}
