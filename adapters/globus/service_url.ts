/**
 * Where Globus is.
 *
 * @module
 */
import { StreamError } from "../../stream/stream_error.ts";

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/**
 * Checks the URL of a service that gets tokens and secrets.
 *
 * @param url The URL.
 * @param option What it is called in the configuration.
 * @returns The URL without a slash at its end.
 * @throws {StreamError} `bad_request` unless it is `https:`, or `http:` to this machine.
 * @example
 * ```ts
 * import { serviceUrl } from "./service_url.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(serviceUrl("https://auth.globus.org/", "authUrl"), "https://auth.globus.org");
 * ```
 */
export function serviceUrl(url: string, option: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const safe = parsed?.protocol === "https:" ||
    parsed?.protocol === "http:" && LOOPBACK.test(parsed.hostname);
  if (safe) return url.replace(/\/+$/, "");
  throw new StreamError(
    "bad_request",
    `Cannot use ${option} ${JSON.stringify(url)}: expected an https:// URL, or http:// on loopback`,
  );
}
