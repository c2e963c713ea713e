/** TLS in front of a port of this machine, as a site's load balancer. @module */
import type { Certificates } from "./certificates.ts";

/** TLS that listens. */
export interface TlsFront {
  /** Its port, on 127.0.0.1. */
  port: number;
  /** Stops. */
  close(): void;
}

/**
 * Listens with TLS and passes everything on.
 *
 * @param to The port to pass it to, on 127.0.0.1.
 * @param certificates Who it is.
 * @returns The front.
 */
export async function tlsFront(to: number, certificates: Certificates): Promise<TlsFront> {
  const listener = Deno.listenTls({
    hostname: "127.0.0.1",
    port: 0,
    cert: await Deno.readTextFile(certificates.cert),
    key: await Deno.readTextFile(certificates.key),
  });
  const open = new Set<Deno.Conn>();
  const pass = async (near: Deno.TlsConn) => {
    open.add(near);
    try {
      await near.handshake();
      using far = await Deno.connect({ hostname: "127.0.0.1", port: to });
      open.add(far);
      const way = { preventClose: true };
      await Promise.race([
        near.readable.pipeTo(far.writable, way),
        far.readable.pipeTo(near.writable, way),
      ]);
      open.delete(far);
    } catch {
      // whoever was there has gone
    } finally {
      open.delete(near);
      closeQuietly(near);
    }
  };
  const accept = async () => {
    for (;;) {
      try {
        void pass(await listener.accept());
      } catch (error) {
        // a client that does not trust us breaks off; a closed listener ends it
        if (error instanceof Deno.errors.BadResource) return;
      }
    }
  };
  void accept();
  return {
    port: listener.addr.port,
    close() {
      listener.close();
      for (const connection of open) closeQuietly(connection);
    },
  };
}

function closeQuietly(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // it was closed already
  }
}
