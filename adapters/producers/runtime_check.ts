/**
 * Whether this runtime can reach the relay at all.
 *
 * @module
 */
import process from "node:process";
import { fromEnvironment } from "../../client/environment.ts";
import { RelayProducer } from "../../client/relay_producer.ts";
import { say } from "./settings.ts";

/**
 * Checks settings and runtime, without asking the relay.
 *
 * @returns The exit code: 0 when this producer can be used here.
 * @throws {StreamError} `bad_request` for settings that are missing or malformed.
 */
export function checkRuntime(): number {
  if (typeof WebSocket === "undefined") {
    say(`node ${process.versions.node} has no WebSocket, expected 22 or newer`);
    return 1;
  }
  new RelayProducer();
  const urls = (fromEnvironment().url ?? "").split(",");
  if (urls.every((url) => needsPlainProxy(url.trim()))) {
    // Squid and its like refuse the upgrade; small HTTP requests, as of the Python producer, pass.
    say("ws:// can't be used through http_proxy, expected wss:// or the relay's host in no_proxy");
    return 1;
  }
  return 0;
}

/** Whether a URL would have to pass a plain HTTP proxy, which refuses WebSockets without TLS. */
function needsPlainProxy(url: string): boolean {
  const { env } = process;
  const proxy = env.http_proxy ?? env.HTTP_PROXY ?? env.all_proxy ?? env.ALL_PROXY;
  if (!proxy || /^(wss|https):/.test(url)) return false;
  const { hostname } = new URL(url);
  const exempt = (env.no_proxy ?? env.NO_PROXY ?? "").split(",").map((name) => name.trim());
  return !exempt.some((name) =>
    name !== "" &&
    (name === "*" || hostname === name ||
      hostname.endsWith(name.startsWith(".") ? name : `.${name}`))
  );
}
