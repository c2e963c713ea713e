/**
 * A real relay for the client's tests: the one that `STREAMRELAY_TEST_RELAY_URL` names, or, on Deno, one
 * of this process.
 *
 * @module
 */
import { ControlClient } from "../../../client/mod.ts";
import { type TcpProxy, tcpProxy } from "../../tools/tcp_proxy.ts";
import { test } from "../../tools/test.ts";

// Computed, so that a test can be bundled for Node without the server.
const SERVER = "../../../server/mod.ts";

/** A relay to test against. */
export interface RealRelay {
  /** Where it is. */
  url: string;
  /** Its root secret. */
  secret: string;
  /** Its control API. */
  control: ControlClient;
  /** A proxy in front of it, and the URL by that. */
  proxy: TcpProxy;
  proxyUrl: string;
}

/** How a test's relay is reached. */
export interface RealRelayOptions {
  /** Bytes the proxy passes on at a time; as they come by default. */
  slice?: number;
  /** By which transport a relay of this process listens; the default one by default. */
  transport?: "deno" | "ws";
}

/**
 * Registers a test with a relay: on both transports, or with the one relay that was named.
 *
 * @param name What is tested.
 * @param body The test.
 * @param options How the relay is reached.
 */
export function relayTest(
  name: string,
  body: (relay: RealRelay) => Promise<void>,
  options: RealRelayOptions = {},
): void {
  if (environment()?.STREAMRELAY_TEST_RELAY_URL) return test(name, () => withRelay(body, options));
  for (const transport of ["deno", "ws"] as const) {
    test(`${name} [${transport}]`, () => withRelay(body, { ...options, transport }));
  }
}

/**
 * Runs a test body with a relay and a proxy in front of it.
 *
 * @param body The test.
 * @param options How the relay is reached.
 */
export async function withRelay(
  body: (relay: RealRelay) => Promise<void>,
  options: RealRelayOptions = {},
): Promise<void> {
  const { url, secret, close } = await start(options.transport);
  const proxy = await tcpProxy({ ...options, to: Number(new URL(url).port) });
  const proxyUrl = `ws://127.0.0.1:${proxy.port}`;
  try {
    const control = new ControlClient({ url, token: secret });
    await body({ url, secret, control, proxy, proxyUrl });
  } finally {
    await proxy.close();
    await close();
  }
}

function environment(): Record<string, string | undefined> | undefined {
  return (globalThis as { process?: { env: Record<string, string | undefined> } }).process?.env;
}

async function start(
  transport?: "deno" | "ws",
): Promise<{ url: string; secret: string; close(): Promise<void> }> {
  const env = environment();
  const url = env?.STREAMRELAY_TEST_RELAY_URL;
  if (url) {
    return {
      url: url.replace(/^http/, "ws"),
      secret: env?.STREAMRELAY_TEST_RELAY_SECRET ?? "",
      close: () => Promise.resolve(),
    };
  }
  const { serveRelay } = await import(new URL(SERVER, import.meta.url).href);
  const secret = crypto.randomUUID();
  const relay = await serveRelay({ port: 0, secret, transport });
  return { url: relay.url, secret, close: () => relay.close() };
}
