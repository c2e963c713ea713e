/**
 * A TCP proxy that can misbehave on request. On `node:net`, so that it runs on Deno and on Node.
 *
 * @module
 */
import { connect, createServer, type Server, type Socket } from "node:net";

/** Options of {@linkcode tcpProxy}. */
export interface TcpProxyOptions {
  /** Port to pass connections on to, on 127.0.0.1. */
  to: number;
  /** Passes what comes on in pieces of so many bytes; by default as it comes. */
  slice?: number;
}

/** A proxy that listens. */
export interface TcpProxy {
  /** The port it listens on, on 127.0.0.1. */
  port: number;
  /** How many connections there have been. */
  connections: number;
  /** Bytes passed on, either way. */
  bytes: number;
  /** Breaks every connection, without a goodbye. */
  cut(): void;
  /** Breaks every connection once so many bytes more have passed, either way. */
  cutAfter(bytes: number): void;
  /** Holds everything back; connections stay, new ones are taken and held too. */
  pause(): void;
  /** Passes on what was held, and goes on. */
  resume(): void;
  /** Breaks new connections at once, until `accept`. */
  refuse(): void;
  /** Takes connections again. */
  accept(): void;
  /** Stops. */
  close(): Promise<void>;
}

/**
 * Starts a proxy on a free port.
 *
 * @param options Where to, and how.
 * @returns The proxy.
 */
export async function tcpProxy(options: TcpProxyOptions): Promise<TcpProxy> {
  const pairs = new Set<[Socket, Socket]>();
  let refusing = false;
  let paused = false;
  let left = Infinity;

  const server: Server = createServer((near) => {
    if (refusing) return void near.destroy();
    proxy.connections++;
    const far = connect(options.to, "127.0.0.1");
    const pair: [Socket, Socket] = [near, far];
    pairs.add(pair);
    for (const [from, to] of [[near, far], [far, near]]) {
      if (paused) from.pause();
      from.on("data", (chunk: Uint8Array) => pass(chunk, to));
      from.on("error", () => destroy(pair));
      from.on("close", () => destroy(pair));
    }
  });

  function pass(chunk: Uint8Array, to: Socket): void {
    const step = options.slice ?? chunk.length;
    for (let at = 0; at < chunk.length; at += step) {
      if (left <= 0) return;
      const piece = chunk.subarray(at, Math.min(at + step, at + left));
      left -= piece.length;
      proxy.bytes += piece.length;
      to.write(piece);
    }
    if (left <= 0) {
      left = Infinity;
      proxy.cut();
    }
  }

  function destroy(pair: [Socket, Socket]): void {
    if (!pairs.delete(pair)) return;
    for (const socket of pair) socket.destroy();
  }

  const proxy: TcpProxy = {
    port: 0,
    connections: 0,
    bytes: 0,
    cut: () => [...pairs].forEach(destroy),
    cutAfter: (bytes) => void (left = bytes),
    pause() {
      paused = true;
      for (const socket of [...pairs].flat()) socket.pause();
    },
    resume() {
      paused = false;
      for (const socket of [...pairs].flat()) socket.resume();
    },
    refuse: () => void (refusing = true),
    accept: () => void (refusing = false),
    close: () =>
      new Promise((resolve) => {
        proxy.cut();
        server.close(() => resolve());
      }),
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  proxy.port = (server.address() as { port: number }).port;
  return proxy;
}
