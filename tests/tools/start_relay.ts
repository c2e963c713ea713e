/** A relay on a free port of this machine, for tests. @module */

/** A running relay. */
export interface RunningRelay {
  /** Where it listens, as `http://127.0.0.1:…`. */
  url: string;
  /** Its secret. */
  secret: string;
  /** Stops it. */
  close(): Promise<void>;
}

// Computed, so that the client's tests, which may import this file, can be bundled for Node
// without the server.
const SERVER = "../../server/mod.ts";

/**
 * Starts a relay in this Deno process.
 *
 * @returns The relay, or undefined as long as there is no server to start.
 */
export async function startRelay(): Promise<RunningRelay | undefined> {
  const url = new URL(SERVER, import.meta.url);
  try {
    await Deno.stat(url);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const server: ServerModule = await import(url.href);
  if (typeof server.serveRelay !== "function") return undefined;
  const secret = crypto.randomUUID();
  const relay = await server.serveRelay({
    hostname: "127.0.0.1",
    port: 0,
    secret,
  });
  return { url: `${relay.url}`, secret, close: () => relay.close() };
}

/** As much of the server's module as is used here. */
interface ServerModule {
  serveRelay?(options: {
    hostname: string;
    port: number;
    secret: string;
  }): Promise<{ url: string | URL; close(): Promise<void> }>;
}
