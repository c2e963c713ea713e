/**
 * A TCP proxy that can misbehave on request. On `node:net`, so that it runs on Deno and on Node.
 *
 * @module
 */
import { connect, createServer, type Server, type Socket } from "node:net";

/** How what comes is passed on. */
export interface Shape {
  /** In pieces of so many bytes; by default as it comes. */
  slice?: number;
  /** So many milliseconds later; at once by default. */
  delay?: number;
}

/** Options of {@linkcode tcpProxy}. */
export interface TcpProxyOptions extends Shape {
  /** Port to pass connections on to, on 127.0.0.1. */
  to: number;
}

/** Which of the connections are meant: asked for each. All by default. */
export type Which = () => boolean;

/** A proxy that listens. */
export interface TcpProxy {
  /** The port it listens on, on 127.0.0.1. */
  port: number;
  /** How many connections there have been. */
  connections: number;
  /** Bytes passed on, either way. */
  bytes: number;
  /** Breaks connections, without a goodbye. */
  cut(which?: Which): void;
  /** Breaks every connection once so many bytes more have passed, either way. */
  cutAfter(bytes: number): void;
  /** Breaks connections with a reset, which throws away what is under way. */
  reset(which?: Which): void;
  /** Has connections pass nothing any more, for ever: neither side is told. */
  swallow(which?: Which): void;
  /** Resets one side of connections, the client's (`near`) or the relay's: the other is not told. */
  forget(side: "near" | "far", which?: Which): void;
  /** How everything is passed on from now on. */
  shape(shape: Shape): void;
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

interface Pair {
  near: Socket;
  far: Socket;
  /** Whether nothing passes any more, not even that a side is gone. */
  dead: boolean;
}

/**
 * Starts a proxy on a free port.
 *
 * @param options Where to, and how.
 * @returns The proxy.
 */
export async function tcpProxy({ to: port, ...first }: TcpProxyOptions): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  let shape: Shape = first;
  let refusing = false;
  let paused = false;
  let left = Infinity;

  const server: Server = createServer((near) => {
    if (refusing) return void near.destroy();
    proxy.connections++;
    const far = connect(port, "127.0.0.1");
    const pair: Pair = { near, far, dead: false };
    pairs.add(pair);
    for (const [from, to] of [[near, far], [far, near]]) {
      const pass = passer(pair, to);
      if (paused) from.pause();
      from.on("data", pass);
      from.on("error", () => gone(pair));
      from.on("close", () => gone(pair));
    }
  });

  /** Passes on what comes for one side, in order whatever the shape. */
  function passer(pair: Pair, to: Socket): (chunk: Uint8Array) => void {
    const late: { chunk: Uint8Array; due: number }[] = [];
    const wait = () =>
      setTimeout(() => {
        while (late.length > 0 && late[0].due <= Date.now()) write(pair, to, late.shift()!.chunk);
        if (late.length > 0) wait();
      }, late[0].due - Date.now());
    return (chunk) => {
      const { delay = 0 } = shape;
      if (delay === 0 && late.length === 0) return write(pair, to, chunk);
      late.push({ chunk, due: Date.now() + delay });
      if (late.length === 1) wait();
    };
  }

  function write(pair: Pair, to: Socket, chunk: Uint8Array): void {
    const step = shape.slice ?? chunk.length;
    for (let at = 0; at < chunk.length; at += step) {
      if (pair.dead || to.destroyed) return;
      if (left <= 0) break;
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

  /** A side is gone, which the other one learns unless the way between them is. */
  function gone(pair: Pair): void {
    if (!pair.dead) destroy(pair);
    else if (pair.near.destroyed && pair.far.destroyed) pairs.delete(pair);
  }

  function destroy(pair: Pair): void {
    if (!pairs.delete(pair)) return;
    pair.near.destroy();
    pair.far.destroy();
  }

  const those = (which: Which = () => true) => [...pairs].filter((pair) => !pair.dead && which());
  const proxy: TcpProxy = {
    port: 0,
    connections: 0,
    bytes: 0,
    cut: (which) => those(which).forEach(destroy),
    cutAfter: (bytes) => void (left = bytes),
    reset(which) {
      for (const pair of those(which)) {
        pairs.delete(pair);
        pair.near.resetAndDestroy();
        pair.far.resetAndDestroy();
      }
    },
    swallow(which) {
      for (const pair of those(which)) pair.dead = true;
    },
    forget(side, which) {
      for (const pair of those(which)) {
        pair.dead = true;
        pair[side].resetAndDestroy();
      }
    },
    shape: (next) => void (shape = next),
    pause() {
      paused = true;
      for (const { near, far } of pairs) [near, far].forEach((socket) => socket.pause());
    },
    resume() {
      paused = false;
      for (const { near, far } of pairs) [near, far].forEach((socket) => socket.resume());
    },
    refuse: () => void (refusing = true),
    accept: () => void (refusing = false),
    close: () =>
      new Promise((resolve) => {
        [...pairs].forEach(destroy);
        server.close(() => resolve());
      }),
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  proxy.port = (server.address() as { port: number }).port;
  return proxy;
}
