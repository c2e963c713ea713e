/**
 * `fetch` through a proxy for plain HTTP, for Node: its own asks such a proxy for a tunnel (CONNECT) also
 * where the relay has no TLS, and proxies that allow only plain requests refuse that.
 * https://github.com/nodejs/undici/issues/4083
 *
 * @module
 */
import { Agent, type IncomingMessage, request } from "node:http";
import process from "node:process";
import { Readable } from "node:stream";
import type { ReadableStream as NodeReadableStream } from "node:stream/web";

/** Node's own one may go through the proxy already, and would do so twice. */
const agent = new Agent({ keepAlive: true });

/** Replaces this process's `fetch` where it runs on Node and there is such a proxy. */
export function useProxiedFetch(): void {
  const proxy = plainProxy();
  if (proxy === undefined) return;
  const own = globalThis.fetch;
  globalThis.fetch = (input, init) => {
    if (input instanceof Request) return own(input, init);
    const url = new URL(input);
    return proxy.isFor(url) ? ask(proxy.url, url, init) : own(url, init);
  };
}

/**
 * Whether a WebSocket would hang for ever: Node's asks such a proxy for a tunnel, again and again, and
 * tells nobody that it is refused. https://github.com/nodejs/undici/issues/5093
 *
 * @param urls The relays; `undefined` for none.
 * @returns Whether all of them are behind such a proxy.
 */
export function needsPost(urls = ""): boolean {
  const proxy = plainProxy();
  const all = urls.split(",").map((url) => url.trim().replace(/^ws/, "http"));
  return proxy !== undefined && all.every((url) => URL.canParse(url) && proxy.isFor(new URL(url)));
}

function plainProxy(): { url: URL; isFor(target: URL): boolean } | undefined {
  const { env, versions } = process;
  const proxy = env.http_proxy || env.HTTP_PROXY || env.all_proxy || env.ALL_PROXY;
  if (!proxy || versions.deno || versions.bun) return undefined;
  const url = new URL(proxy.includes("://") ? proxy : `http://${proxy}`);
  if (url.protocol !== "http:") return undefined;
  const isExempt = exemptions(env.no_proxy ?? env.NO_PROXY ?? "");
  return { url, isFor: (target) => target.protocol === "http:" && !isExempt(target) };
}

/**
 * Whether `no_proxy` leads around the proxy.
 *
 * @param list Hosts, with commas; a name stands for all below it, too, and `*` for every one.
 * @returns Tells of a URL.
 * @example
 * ```ts
 * import { exemptions } from "./proxied_fetch.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const isExempt = exemptions("localhost, .site.edu,relay:8765");
 * assertEquals(isExempt(new URL("http://a.site.edu/")), true);
 * assertEquals(isExempt(new URL("http://relay:8766/")), false);
 * ```
 */
export function exemptions(list: string): (url: URL) => boolean {
  const names = list.split(/[,\s]+/).filter(Boolean).map((name) => name.toLowerCase());
  return ({ hostname, port }) =>
    names.some((name) => {
      const [, host, only] = /^(.*?)(?::(\d+))?$/.exec(name) ?? [];
      if (only !== undefined && only !== (port || "80")) return false;
      const bare = host.replace(/^\*?\./, "");
      return host === "*" || hostname === bare || hostname.endsWith(`.${bare}`);
    });
}

function ask(proxy: URL, url: URL, init: RequestInit = {}): Promise<Response> {
  const headers: Record<string, string> = {
    host: url.host,
    ...Object.fromEntries(new Headers(init.headers)),
  };
  if (proxy.username) {
    const pair = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
    headers["proxy-authorization"] = `Basic ${btoa(pair)}`;
  }
  const body = init.body as string | Uint8Array | null | undefined;
  if (body) headers["content-length"] = String(new Blob([body as string]).size);
  return new Promise((resolve, reject) => {
    const asked = request({
      agent,
      host: proxy.hostname.replace(/^\[|\]$/g, ""),
      port: proxy.port || 80,
      method: init.method ?? "GET",
      path: url.href,
      headers,
      signal: init.signal ?? undefined,
    }, (answer) => resolve(responseOf(answer)));
    asked.on("error", reject);
    asked.end(body ?? undefined);
  });
}

function responseOf(answer: IncomingMessage): Response {
  const status = answer.statusCode ?? 502;
  const hasBody = status !== 204 && status !== 304;
  if (!hasBody) answer.resume();
  const body = Readable.toWeb(answer) as NodeReadableStream<Uint8Array>;
  return new Response(hasBody ? body as ReadableStream<Uint8Array<ArrayBuffer>> : null, {
    status,
    headers: Object.entries(answer.headersDistinct)
      .flatMap(([name, values]) => (values ?? []).map((value): [string, string] => [name, value])),
  });
}
