/**
 * Under which of this machine's addresses compute nodes find a relay here.
 *
 * @module
 */
import { lookup } from "node:dns/promises";
import { hostname, networkInterfaces } from "node:os";
import { StreamError } from "../../stream/stream_error.ts";

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/;

/**
 * The address a relay for these nodes listens on: loopback where the nodes are this machine, otherwise
 * an address of a network interface.
 *
 * @param nodes The nodes' addresses or names, as the scheduler tells.
 * @param interfaceName The interface to use; the first one with an IPv4 address otherwise.
 * @returns An IPv4 address.
 * @throws {StreamError} `bad_request` where there is no such interface.
 * @example
 * ```ts
 * import { nodeFacingAddress } from "./node_facing_address.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await nodeFacingAddress(["127.0.0.1", "127.0.0.1"]), "127.0.0.1");
 * ```
 */
export async function nodeFacingAddress(
  nodes: readonly string[],
  interfaceName?: string,
): Promise<string> {
  if (interfaceName === undefined && nodes.length > 0) {
    const local = await Promise.all([...new Set(nodes)].map(isThisMachine));
    if (local.every(Boolean)) return "127.0.0.1";
  }
  const found = addresses().find(({ family, name, address }) =>
    family === "IPv4" && !LOOPBACK.test(address) &&
    (interfaceName === undefined || name === interfaceName)
  );
  if (found) return found.address;
  throw new StreamError(
    "bad_request",
    interfaceName === undefined
      ? "Cannot start a relay for compute nodes: this machine has no address but loopback, expected a network interface or relay.url"
      : `Cannot start a relay on interface ${interfaceName}: it has no IPv4 address, expected one of ${names()}`,
  );
}

async function isThisMachine(node: string): Promise<boolean> {
  if (LOOPBACK.test(node)) return true;
  const own = hostname();
  if (node !== own && node !== own.split(".")[0]) return false;
  try {
    return LOOPBACK.test((await lookup(node, { family: 4 })).address);
  } catch {
    return false;
  }
}

function addresses(): { name: string; family: string; address: string }[] {
  return Object.entries(networkInterfaces()).flatMap(([name, all = []]) =>
    all.map(({ family, address }) => ({ name, family, address }))
  );
}

function names(): string {
  return Object.keys(networkInterfaces()).join(", ");
}
