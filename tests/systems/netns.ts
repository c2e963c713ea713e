/** Nodes of a test's own: network namespaces, firewalls, proxies, clocks. @module */
import { aptInstall } from "./apt_install.ts";
import { onPath } from "./on_path.ts";
import { type Provided, skipped } from "./provided.ts";
import { runCommand } from "./run_command.ts";

const PROGRAMS = ["ip", "nft", "squid", "curl", "openssl", "faketime"];
const PACKAGES = ["iproute2", "nftables", "squid", "curl", "openssl", "faketime"];

/**
 * Finds out whether network namespaces with a firewall can be made here: root can, outside of most
 * containers.
 *
 * @returns `STREAMRELAY_TEST_NETNS`: the path of squid.
 */
export async function provideNetns(): Promise<Provided> {
  if (Deno.uid() !== 0) return skipped("netns", "only root may make network namespaces");
  const lack = await aptInstall(PROGRAMS, PACKAGES);
  if (lack) return skipped("netns", lack);
  const name = `sr-${crypto.randomUUID().slice(0, 8)}`;
  const made = await runCommand(["ip", "netns", "add", name]);
  if (made.code !== 0) return skipped("netns", made.stderr.trim());
  const filter = await runCommand(["ip", "netns", "exec", name, "nft", "list", "ruleset"]);
  await runCommand(["ip", "netns", "del", name]);
  if (filter.code !== 0) return skipped("netns", filter.stderr.trim());
  const { stdout } = await runCommand(["nft", "--version"]);
  return {
    name: "netns",
    kind: "real",
    reason: stdout.trim(),
    env: { STREAMRELAY_TEST_NETNS: onPath("squid") ?? "squid" },
    stop: async () => {},
  };
}
