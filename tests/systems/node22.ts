/** Node 22, the oldest Node that the client supports. @module */
import { cached } from "./cached.ts";
import { onPath } from "./on_path.ts";
import { type Provided, skipped } from "./provided.ts";
import { runCommand } from "./run_command.ts";

const VERSION = "22.23.3";

/**
 * Finds a Node 22, or gets one from npm. The platform's own package is taken, since the
 * package `node` needs an install script to fetch the same thing.
 *
 * @returns `STREAMRELAY_TEST_NODE22`: the path of its binary.
 */
export async function provideNode22(): Promise<Provided> {
  try {
    const node = await own() ?? await fromNpm();
    const { stdout } = await runCommand([node, "--version"]);
    if (!stdout.startsWith("v22.")) {
      return skipped("node22", `${node} says "${stdout.trim()}"`);
    }
    return {
      name: "node22",
      kind: "real",
      reason: stdout.trim(),
      env: { STREAMRELAY_TEST_NODE22: node },
      stop: async () => {},
    };
  } catch (error) {
    return skipped("node22", error);
  }
}

async function own(): Promise<string | undefined> {
  const node = onPath("node");
  if (!node) return undefined;
  const { stdout } = await runCommand([node, "--version"]);
  return stdout.startsWith("v22.") ? node : undefined;
}

async function fromNpm(): Promise<string> {
  const npm = onPath("npm");
  if (!npm) throw new Error("neither Node 22 nor npm found");
  const arch = Deno.build.arch === "x86_64" ? "x64" : "arm64";
  const name = `node-${Deno.build.os}-${arch}`;
  const dir = await cached("node22", VERSION, async (prefix) => {
    const { code, stderr } = await runCommand([
      npm,
      "install",
      "--prefix",
      prefix,
      "--no-save",
      "--no-audit",
      "--no-fund",
      `${name}@${VERSION}`,
    ]);
    if (code !== 0) throw new Error(`npm install ${name}: ${stderr.trim()}`);
  });
  return `${dir}/node_modules/${name}/bin/node`;
}
