/**
 * Reading request bodies within a bound.
 *
 * @module
 */
import { StreamError } from "../../stream/mod.ts";
import type { z } from "zod";

/**
 * Reads a body.
 *
 * @param request The request.
 * @param limit Most bytes it may have.
 * @returns The bytes.
 * @throws {StreamError} `too_large`.
 */
export async function readBytes(
  request: Request,
  limit: number,
): Promise<Uint8Array> {
  const tooLarge = () =>
    new StreamError(
      "too_large",
      `Cannot take body: it is longer than ${limit} bytes`,
    );
  if (Number(request.headers.get("content-length") ?? 0) > limit) {
    throw tooLarge();
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.length;
    if (length > limit) throw tooLarge();
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/**
 * Reads a JSON body that follows a schema; no body at all counts as `{}`.
 *
 * @param request The request.
 * @param schema What is expected.
 * @param limit Most bytes it may have.
 * @returns The checked value.
 * @throws {StreamError} `bad_request` naming the member that is wrong, or `too_large`.
 */
export async function readJson<T>(
  request: Request,
  schema: z.ZodType<T>,
  limit: number,
): Promise<T> {
  const text = new TextDecoder().decode(await readBytes(request, limit));
  let value: unknown;
  try {
    value = text.trim() === "" ? {} : JSON.parse(text);
  } catch (cause) {
    throw new StreamError("bad_request", "Cannot read body: it is not JSON", {
      cause,
    });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue.path.length > 0 ? issue.path.join(".") : "the body";
  throw new StreamError(
    "bad_request",
    `Cannot read body: ${where}: ${issue.message}`,
  );
}
