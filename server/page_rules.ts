/**
 * Which pages of browsers may use a relay.
 *
 * @module
 */
import { StreamError } from "../stream/mod.ts";
import type { RelayOptions } from "./relay_options.ts";

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/;

/**
 * Whether a name or address stands for the machine itself.
 *
 * @param hostname The name, without a port.
 * @returns Whether it does, as such: what a name resolves to is not asked.
 */
export function isLoopbackName(hostname: string): boolean {
  return LOOPBACK.test(hostname);
}

/** Refuses a request, if it must. */
export type PageRule = (headers: Headers) => StreamError | undefined;

/**
 * The rule of a relay. A page needs a credential like everybody else. Where none is asked for only pages
 * of this machine may connect, and only by its own names: a page of any origin can have its name resolve
 * to loopback once it is loaded, and then sends no `Origin`, but that name as `Host`.
 *
 * @param options Allowed origins; whether credentials are asked for.
 * @returns The rule.
 */
export function pageRule({ allowedOrigins, insecure }: RelayOptions): PageRule {
  const local = (url: string) => {
    try {
      return isLoopbackName(new URL(url).hostname);
    } catch {
      return false;
    }
  };
  const named = new Set(allowedOrigins?.map((origin) => origin.replace(/^\w+:\/\//, "")));
  return (headers) => {
    const origin = headers.get("origin");
    const mine = origin === null ||
      (allowedOrigins?.includes(origin) ?? (!insecure || local(origin)));
    if (!mine) return new StreamError("forbidden", "Pages of this origin may not use this relay");
    const host = headers.get("host");
    // what sends no Host is no browser
    if (!insecure || host === null || named.has(host) || local(`http://${host}`)) return undefined;
    return new StreamError(
      "forbidden",
      "This relay asks for no credential and answers to this machine's own names alone, expected localhost or 127.0.0.1 in the URL",
    );
  };
}
