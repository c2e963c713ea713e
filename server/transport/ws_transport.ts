/**
 * `ws` on `node:http`: the transport for where strangers connect. It bounds a message however it is
 * fragmented, refuses bad UTF-8, and can drop a reader that is stuck.
 *
 * @module
 */
import { createServer as createHttpsServer } from "node:https";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import { type WebSocket, WebSocketServer } from "ws";
import { closeReason, type Peer, type PeerRequest } from "../peer.ts";
import type { Listening, ListenOptions } from "./transport.ts";

// a byte order mark is forwarded like everything else
const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** How long a client that was closed has for its own goodbye, before it is dropped. */
const CLOSE_MS = 3_000;

/** How long one that broke the protocol has to read why. */
const BROKEN_MS = 200;

/**
 * Listens with `ws` on `node:http`.
 *
 * @param options Where, and who answers.
 * @returns The listening transport.
 */
export async function wsTransport(options: ListenOptions): Promise<Listening> {
  const { cert, key } = options;
  const listener = getRequestListener(
    async (request, env) => {
      const { incoming, outgoing } = env as { incoming: IncomingMessage; outgoing: ServerResponse };
      const response = await options.fetch(request, incoming.socket.remoteAddress ?? "");
      return cutOnFailure(response, outgoing);
    },
    { overrideGlobalObjects: false },
  );
  const server = cert !== undefined && key !== undefined
    ? createHttpsServer({ cert, key, ALPNProtocols: ["http/1.1"] }, listener)
    : createServer(listener);
  // an upload may take as long as the job behind it runs
  server.requestTimeout = 0;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: options.maxMessage,
    perMessageDeflate: false,
    closeTimeout: CLOSE_MS,
  });
  server.on(
    "upgrade",
    (request: IncomingMessage, socket: Duplex, head: Uint8Array) => {
      socket.on("error", options.failed);
      sockets.handleUpgrade(
        request,
        socket,
        head as never,
        (client: WebSocket) => {
          socket.off("error", options.failed);
          const peer = adopt(client, options);
          guarded(peer, options, () => options.peer(peer, requestOf(request)));
        },
      );
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.hostname, resolve);
  });
  server.on("error", options.failed);
  return { port: portOf(server), close: () => close(server, sockets) };
}

/**
 * Cuts the connection when a streamed body fails. `@hono/node-server` would print the error, and write its
 * message into the body as if it were text.
 */
function cutOnFailure(response: Response, outgoing: ServerResponse): Response {
  if (!response.body || response.headers.get("x-accel-buffering") !== "no") return response;
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { value, done } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch {
        outgoing.destroy();
      }
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
  return new Response(body, response);
}

/** Knows nothing of the request: whatever its closures share lives as long as the connection. */
function adopt(client: WebSocket, options: ListenOptions): Peer {
  const peer: Peer = {
    send(text) {
      if (client.readyState === client.OPEN) client.send(text);
    },
    get bufferedAmount() {
      return client.bufferedAmount;
    },
    close(code, reason) {
      client.close(code, closeReason(reason));
    },
    terminate() {
      client.terminate();
    },
  };
  const stop = keepAlive(client, options.idleTimeout);
  client.on(
    "message",
    (data: Uint8Array, binary: boolean) =>
      guarded(peer, options, () => peer.listener?.message(binary ? data : UTF8.decode(data))),
  );
  client.on("close", (code: number, reason: Uint8Array) => {
    stop();
    clearTimeout(broken);
    guarded(peer, options, () => peer.listener?.closed(code, new TextDecoder().decode(reason)));
  });
  let broken: ReturnType<typeof setTimeout> | undefined;
  // what breaks the protocol is closed by ws itself; without a listener it would end the process. Whoever
  // does that may well go on: nothing more is read of it, once ws has resumed the socket in its own turn
  client.on("error", () => {
    broken ??= setTimeout(() => {
      client.pause();
      broken = setTimeout(() => client.terminate(), BROKEN_MS);
    }, 0);
  });
  return peer;
}

/** What a handler throws ends the connection, not the process. */
function guarded(peer: Peer, { failed }: ListenOptions, run: () => void): void {
  try {
    run();
  } catch (error) {
    failed(error);
    peer.close(1011, "Internal error");
  }
}

function requestOf(request: IncomingMessage): PeerRequest {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, String(value));
  }
  const url = new URL(
    request.url ?? "/",
    `http://${request.headers.host ?? "relay"}`,
  );
  return { url, headers, remote: request.socket.remoteAddress ?? "" };
}

/** Pings after half of the idle time, drops a client that gave no sign of life for all of it. */
function keepAlive(client: WebSocket, seconds: number): () => void {
  let alive = true;
  client.on("pong", () => alive = true);
  client.on("message", () => alive = true);
  const timer = setInterval(() => {
    if (!alive) return client.terminate();
    alive = false;
    client.ping();
  }, seconds * 500);
  return () => clearInterval(timer);
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function close(server: Server, sockets: WebSocketServer): Promise<void> {
  for (const client of sockets.clients) client.terminate();
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // answers that are under way, as that to whoever asked for this, get a moment
  const patience = setTimeout(() => server.closeAllConnections(), 500);
  await closed;
  clearTimeout(patience);
}
