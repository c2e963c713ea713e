/** @module */

/**
 * A port of loopback that nobody listens on at the moment, for a program that can't choose one itself.
 *
 * @returns The port.
 */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}
