/**
 * The addresses of relays, as people write them.
 *
 * @module
 */
import { StreamError } from "../stream/mod.ts";

const SOCKET_PROTOCOL: Record<string, string> = {
  "ws:": "ws:",
  "wss:": "wss:",
  "http:": "ws:",
  "https:": "wss:",
};
const EXPECTED =
  "expected ws://, wss://, http:// or https://, a host, and no user, query or fragment";

/**
 * The relays in a comma-separated list, each in its WebSocket form.
 *
 * @param list One URL or several, `ws(s)://` or `http(s)://`; a path is kept, for relays behind a proxy.
 * @returns The URLs, at least one, without a slash at their end.
 * @throws {StreamError} `bad_request` for a URL that cannot be one of a relay. What stands after `@` or
 * `?` in it is not repeated, because it may be a secret.
 * @example
 * ```ts
 * import { parseRelayUrls } from "./relay_url.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseRelayUrls("https://a.example/relay/, ws://b:8765"), [
 *   "wss://a.example/relay",
 *   "ws://b:8765",
 * ]);
 * ```
 */
export function parseRelayUrls(list: string): string[] {
  const urls = list.split(",").map((part) => part.trim()).filter(Boolean);
  if (urls.length === 0) {
    throw new StreamError(
      "bad_request",
      `Cannot use relay URL "": ${EXPECTED}`,
    );
  }
  return urls.map(toSocketUrl);
}

/**
 * The HTTP form of a relay's address, for its control API.
 *
 * @param url A URL that {@linkcode parseRelayUrls} gave.
 * @returns The same with `http:` for `ws:` and `https:` for `wss:`.
 * @example
 * ```ts
 * import { toHttpUrl } from "./relay_url.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(toHttpUrl("wss://a.example/relay"), "https://a.example/relay");
 * ```
 */
export function toHttpUrl(url: string): string {
  return url.replace(/^ws/, "http");
}

function toSocketUrl(text: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw badUrl(text, hint(text), cause);
  }
  const protocol = SOCKET_PROTOCOL[url.protocol];
  if (protocol === undefined || url.host === "") throw badUrl(text, hint(text));
  if (url.username || url.password || url.search || url.hash) {
    throw badUrl(`${url.protocol}//${url.host}${url.pathname}`, "");
  }
  return `${protocol}//${url.host}${url.pathname.replace(/\/+$/, "")}`;
}

/** `localhost:8765` is what people forget the protocol of most. */
function hint(text: string): string {
  return /^[\w.-]+(:\d+)?$/.test(text) ? ` (did you mean ws://${text}?)` : "";
}

function badUrl(shown: string, more: string, cause?: unknown): StreamError {
  const safe = shown.replace(/\/\/[^/@]*@/, "//").replace(/[?#].*$/, "");
  return new StreamError(
    "bad_request",
    `Cannot use relay URL "${safe}": ${EXPECTED}${more}`,
    { cause },
  );
}
