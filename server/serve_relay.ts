/**
 * The relay itself: channels, faces and a transport put together.
 *
 * @module
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { randomId, StreamError } from "../stream/mod.ts";
import { AuditTrail } from "./audit.ts";
import { Channels } from "./channels.ts";
import { Deadline } from "./deadline.ts";
import { routeSocket } from "./faces/socket_routes.ts";
import { httpRoutes } from "./http_routes.ts";
import { IdleWatch } from "./idle_watch.ts";
import { silentLogger } from "./log.ts";
import { isLoopbackName, pageRule } from "./page_rules.ts";
import { Peers } from "./peers.ts";
import { StalledReaders } from "./reader.ts";
import type { RelayContext } from "./relay_context.ts";
import type { RelayOptions } from "./relay_options.ts";
import { shutDown } from "./shut_down.ts";
import { MemoryStore } from "./store/memory_store.ts";
import { EVERYTHING, refuseOtherTask, verifyCredential } from "./tokens.ts";
import { denoTransport } from "./transport/deno_transport.ts";
import type { Listening, ListenOptions, Transport } from "./transport/transport.ts";

/** A relay that listens. */
export interface Relay {
  /** Where clients find it: `ws://127.0.0.1:8765`. */
  readonly url: string;
  /** The interface it listens on. */
  readonly hostname: string;
  /** The port it listens on. */
  readonly port: number;
  /** Channels that somebody is connected to. */
  readonly activeChannels: number;
  /** Resolved once it has stopped, by `close()`, its signal or `idleExit`. */
  readonly finished: Promise<void>;
  /** Tells every client to come back later, and stops. */
  close(): Promise<void>;
  /**
   * Makes no new channels, and closes once nobody is connected to one, or the time is over.
   *
   * @param seconds How long streams may go on; `drainTime` by default.
   * @returns Resolved once it has stopped.
   */
  drain(seconds?: number): Promise<void>;
  /** The same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

const WS_TRANSPORT = "./transport/ws_transport.ts";

const MIB = 1024 * 1024;

/**
 * Starts a relay.
 *
 * @param options Where, how safe, how much.
 * @returns The relay, listening.
 * @throws {StreamError} `bad_request` without a secret, or insecure on anything but loopback;
 *   `conflict` when the port is taken.
 * @example
 * ```ts
 * import { serveRelay } from "./serve_relay.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const relay = await serveRelay({ port: 0, secret: "a long random secret" });
 * const health = await fetch(`${relay.url.replace("ws", "http")}/health`);
 * assertEquals((await health.json()).status, "healthy");
 * await relay.close();
 * ```
 */
export async function serveRelay(options: RelayOptions = {}): Promise<Relay> {
  const {
    hostname = "127.0.0.1",
    port = 8765,
    log = silentLogger,
    insecure = false,
  } = options;
  const loopback = isLoopbackName(hostname);
  checkSafety(options, loopback, hostname);
  const seconds = (value: number | undefined, otherwise: number) => (value ?? otherwise) * 1000;
  const store = options.store ?? new MemoryStore();
  const stalled = new StalledReaders();
  const secret = options.secret ?? randomId(32);
  const audit = new AuditTrail(options.audit, store);
  const channels = new Channels({
    store,
    stalled,
    log,
    audit,
    producerGrace: seconds(options.producerGrace, 60),
    leaseGrace: seconds(options.leaseGrace, 60),
    ttl: seconds(options.channelTimeout, 86_400),
    retention: seconds(options.retention, 86_400),
    maxBytes: options.maxBuffer ?? (store.sync === "memory" ? 64 : 1024) * MIB,
    whenFull: options.whenFull ?? "end",
    channelsPerToken: options.channelsPerToken ?? 1000,
    sweepInterval: seconds(options.sweepInterval, 60),
  });
  const context: RelayContext = {
    channels,
    store,
    secret,
    insecure,
    log,
    audit,
    authenticate: async (credential, from) => {
      if (insecure) refuseOtherTask(credential);
      const grant = insecure ? EVERYTHING : await verifyCredential(secret, credential);
      const key = insecure ? "none" : grant === EVERYTHING ? "secret" : "token";
      return { ...grant, key, from };
    },
    maxMessage: options.maxMessage ?? 256 * 1024,
    window: MIB,
    authTimeout: seconds(options.authTimeout, 10),
    postTimeout: seconds(options.postTimeout, 45),
    refusal: pageRule(options),
    peers: new Peers(),
    drain: (seconds) => void drain(seconds),
  };
  await channels.revive();
  const idle = new IdleWatch(context, options.idleExit);
  const app = httpRoutes(context);
  const listening = await listen(
    options.transport ?? (loopback ? "deno" : "ws"),
    {
      hostname,
      port,
      cert: options.cert,
      key: options.key,
      // the faces tell what is too large in words; the transport is there for what they never see
      maxMessage: context.maxMessage * 4,
      idleTimeout: options.idleTimeout ?? 30,
      fetch: (request, remote) => {
        idle.seen();
        return app.fetch(request, { remote });
      },
      peer: (peer, request) => {
        idle.seen();
        routeSocket(context, peer, request);
      },
      failed: (error) => log("error", "A handler failed", { error: String(error) }),
    },
  ).catch((error) => {
    idle.close();
    channels.close(error);
    throw error;
  });
  let finish = () => {};
  const finished = new Promise<void>((resolve) => finish = resolve);
  let closing: Promise<void> | undefined;
  const deadline = new Deadline();
  const close = () => {
    deadline.clear();
    idle.close();
    return closing ??= shutDown(context, listening, stalled).finally(finish);
  };
  const drain = (seconds = options.drainTime ?? 0) => {
    if (closing === undefined && seconds > 0) {
      log("info", "draining", { seconds, channels: channels.live.length });
      channels.drain(close);
      deadline.set(Date.now() + seconds * 1000, close);
    } else close();
    return finished;
  };
  idle.due = close;
  options.signal?.addEventListener("abort", close, { once: true });
  if (options.signal?.aborted) close();
  const scheme = options.cert === undefined ? "ws" : "wss";
  const shown = hostname.includes(":") && !hostname.startsWith("[") ? `[${hostname}]` : hostname;
  const url = `${scheme}://${shown}:${listening.port}`;
  log("info", "listening", { url, sync: store.sync });
  return {
    url,
    hostname,
    port: listening.port,
    get activeChannels() {
      return channels.live.length;
    },
    finished,
    close,
    drain,
    [Symbol.asyncDispose]: close,
  };
}

function checkSafety(
  options: RelayOptions,
  loopback: boolean,
  hostname: string,
): void {
  if (options.insecure && !loopback) {
    throw new StreamError(
      "bad_request",
      `Cannot serve ${hostname} without a secret: --insecure is for loopback only`,
    );
  }
  if (!options.insecure && !options.secret) {
    throw new StreamError(
      "bad_request",
      "Cannot serve without a secret: expected one, or insecure",
    );
  }
  if ((options.cert === undefined) !== (options.key === undefined)) {
    throw new StreamError(
      "bad_request",
      "Cannot serve TLS: expected both a certificate and its key",
    );
  }
  try {
    // node:https would listen with anything, and fail every handshake
    if (options.cert !== undefined) new X509Certificate(options.cert);
    if (options.key !== undefined) createPrivateKey(options.key);
  } catch (cause) {
    throw new StreamError(
      "bad_request",
      "Cannot serve TLS: expected a certificate and its key as PEM text",
      { cause },
    );
  }
}

async function listen(
  wanted: "deno" | "ws" | Transport,
  options: ListenOptions,
): Promise<Listening> {
  try {
    const transport = typeof wanted === "function"
      ? wanted
      : wanted === "deno"
      ? denoTransport
      : await loadWsTransport();
    return await transport(options);
  } catch (cause) {
    const text = String(cause);
    if (text.includes("AddrInUse") || text.includes("EADDRINUSE")) {
      throw new StreamError(
        "conflict",
        `Cannot listen on ${options.hostname}:${options.port}: the port is taken, expected a free one (0 finds one)`,
        { cause },
      );
    }
    throw StreamError.from(
      cause,
      "bad_request",
      `Cannot listen on ${options.hostname}:${options.port}: `,
    );
  }
}

/**
 * Loads the ws transport when it is wanted: a relay on loopback needs none of its packages, and Deno
 * would download those of a literal import at the start.
 */
async function loadWsTransport(): Promise<typeof denoTransport> {
  const { wsTransport } = await import(new URL(WS_TRANSPORT, import.meta.url).href);
  return wsTransport;
}
