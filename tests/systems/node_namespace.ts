/** A compute node of a test's own: a network namespace beside this machine. @module */
import { type Relay, serveRelay } from "../../server/mod.ts";
import { type Person, person } from "./command_line.ts";
import { onPath } from "./on_path.ts";
import { runCommand } from "./run_command.ts";
import { type Squid, startSquid } from "./squid.ts";

/** A node, and a relay on this machine, which is its only neighbour. */
export interface NodeNamespace extends AsyncDisposable {
  /** The relay as the node knows it: by a name of its hosts file. */
  url: string;
  /** The relay's port. */
  port: number;
  /** The relay's root secret. */
  secret: string;
  /** This machine's address, as the node sees it. */
  address: string;
  /** Somebody who works on the node. */
  somebody: Person;
  /** Writes a file of `/etc` that only the node has. */
  etc(name: string, text: string): Promise<void>;
  /** Makes the node's firewall drop what goes to a port. */
  block(port: number): Promise<void>;
  /** Starts a proxy on this machine. */
  proxy(rules: readonly string[]): Promise<Squid>;
}

/**
 * Makes a node, and a relay.
 *
 * @returns The node.
 */
export async function nodeNamespace(): Promise<NodeNamespace> {
  const name = `sr-${crypto.randomUUID().slice(0, 8)}`;
  const etc = `/etc/netns/${name}`;
  const [third, fourth] = crypto.getRandomValues(new Uint8Array(2));
  const network = `10.213.${third}`;
  // four addresses a node: this machine's is the first that can be had, the node's the second
  const first = fourth & 0xfc;
  const address = `${network}.${first + 1}`;
  const folder = await Deno.makeTempDir({ prefix: "streamrelay-node-" });
  const undo: (() => Promise<unknown>)[] = [() => Deno.remove(folder, { recursive: true })];
  const dispose = async () => {
    for (const step of undo.toReversed()) await step();
  };
  try {
    await Deno.mkdir(etc, { recursive: true });
    undo.push(() => Deno.remove(etc, { recursive: true }));
    const file = (path: string, text: string) => Deno.writeTextFile(`${etc}/${path}`, text);
    await file("resolv.conf", "nameserver 127.0.0.1\n");
    await file("hosts", `127.0.0.1 localhost\n${address} relay.test\n`);
    await file("environment", "");
    await must("ip", "netns", "add", name);
    undo.push(() => must("ip", "netns", "del", name));
    const [here, there] = [`${name}h`, `${name}n`];
    await must("ip", "link", "add", here, "type", "veth", "peer", "name", there, "netns", name);
    await must("ip", "addr", "add", `${address}/30`, "dev", here);
    await must("ip", "link", "set", here, "up");
    const inside = ["ip", "-n", name];
    await must(...inside, "addr", "add", `${network}.${first + 2}/30`, "dev", there);
    await must(...inside, "link", "set", there, "up");
    await must(...inside, "link", "set", "lo", "up");

    const secret = crypto.randomUUID();
    const relay: Relay = await serveRelay({ hostname: address, port: 0, secret });
    undo.push(() => relay.close());
    const somebody = await person([
      // the node's PATH may be another
      ...[onPath("ip")!, "netns", "exec", name],
      ...[
        Deno.execPath(),
        "run",
        "-A",
        "--quiet",
        new URL("../../cli.ts", import.meta.url).pathname,
      ],
    ], { STREAMRELAY_TOKEN: secret });
    undo.push(() => somebody[Symbol.asyncDispose]());
    await must("chown", "proxy:", folder);
    const exec = ["ip", "netns", "exec", name];
    await must(...exec, "nft", "add table inet test");
    await must(...exec, "nft", "add chain inet test out { type filter hook output priority 0; }");
    return {
      url: `ws://relay.test:${relay.port}`,
      port: relay.port,
      secret,
      address,
      somebody,
      etc: file,
      block: (port) => must(...exec, "nft", `add rule inet test out tcp dport ${port} drop`),
      async proxy(rules) {
        const squid = await startSquid({
          program: Deno.env.get("STREAMRELAY_TEST_NETNS")!,
          stem: `${folder}/${crypto.randomUUID()}`,
          hostname: address,
          // the relay's name is one of the node's hosts file, which squid does not see
          rules: [`hosts_file ${etc}/hosts`, ...rules],
        });
        undo.push(() => squid.stop());
        return squid;
      },
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function must(...command: string[]): Promise<void> {
  const { code, stderr } = await runCommand(command);
  if (code !== 0) throw new Error(`${command.join(" ")}: ${stderr.trim()}`);
}
