/**
 * `Deno.serve` with its built-in WebSocket upgrades: the transport for loopback and for behind a proxy.
 *
 * A stranger can bring it down with endless fragments (its limit is per frame, not per message, and is
 * exceeded before any message is seen), so it does not listen where strangers connect.
 *
 * @module
 */
import { DenoPeer } from "./deno_peer.ts";
import type { Listening, ListenOptions } from "./transport.ts";

/**
 * Listens with `Deno.serve`.
 *
 * @param options Where, and who answers.
 * @returns The listening transport.
 */
export function denoTransport(options: ListenOptions): Promise<Listening> {
  const { hostname, port, cert, key } = options;
  const tls = cert !== undefined && key !== undefined ? { cert, key } : {};
  const server = Deno.serve({
    hostname,
    port,
    ...tls,
    onListen: () => {},
    onError: (error) => {
      options.failed(error);
      return new Response("Internal error", { status: 500 });
    },
  }, (request, info) => {
    const remote = info.remoteAddr.transport === "tcp" ? info.remoteAddr.hostname : "unix";
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      return options.fetch(request, remote);
    }
    return upgrade(request, remote, options);
  });
  return Promise.resolve({
    port: server.addr.transport === "tcp" ? server.addr.port : 0,
    close: async () => {
      // shutdown() waits for idle keep-alive connections and stuck readers; they get a moment, no more
      const done = server.shutdown();
      let timer: ReturnType<typeof setTimeout> | undefined;
      const patience = new Promise<void>((resolve) => timer = setTimeout(resolve, 500));
      await Promise.race([done, patience]);
      clearTimeout(timer);
    },
  });
}

function upgrade(
  request: Request,
  remote: string,
  options: ListenOptions,
): Response {
  // everything is read before the upgrade: in onopen it throws "Request closed" and ends the process
  const opened = {
    url: new URL(request.url),
    headers: new Headers(request.headers),
    remote,
  };
  let upgraded: Deno.WebSocketUpgrade;
  try {
    upgraded = Deno.upgradeWebSocket(request, { idleTimeout: options.idleTimeout });
  } catch {
    return new Response("Cannot upgrade: expected a WebSocket handshake", { status: 400 });
  }
  const { socket, response } = upgraded;
  new DenoPeer(socket, (peer) => options.peer(peer, opened), options.failed);
  return response;
}
