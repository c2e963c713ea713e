/**
 * Runs the portable tests under Node: bundles each file and gives it to `node --test`.
 *
 * @module
 */
import { type RunningRelay, startRelay } from "./start_relay.ts";
import { runTests } from "./run_tests.ts";
import { nodeTotals, type Totals } from "./totals.ts";
import { runCommand } from "../systems/run_command.ts";

/** The tests that must also pass on Node: `stream/`, `client/` and what these are made of. */
const PORTABLE = /^tests\/unit\/(?:(?:stream|client)\/.*|std_(?:async|encoding))_test\.ts$/;

/**
 * Whether a test file must also pass on Node.
 *
 * @param path Its path from the project's root.
 * @returns Whether it must.
 */
export function isPortable(path: string): boolean {
  return PORTABLE.test(path);
}

/**
 * Runs test files under Node, with a relay at `STREAMRELAY_TEST_RELAY_URL`
 * (and its secret in `STREAMRELAY_TEST_RELAY_SECRET`) as soon as there is a server.
 *
 * @param node The path of Node's binary.
 * @param files Paths from the project's root.
 * @param signal Ends the run.
 * @returns The run's totals.
 */
export async function runOnNode(
  node: string,
  files: readonly string[],
  signal?: AbortSignal,
): Promise<Totals> {
  const dir = await Deno.makeTempDir({ prefix: "streamrelay-node-" });
  let relay: RunningRelay | undefined;
  try {
    const bundles: string[] = [];
    for (const file of files) {
      const bundle = `${dir}/${file.replaceAll("/", ".")}.mjs`;
      const problem = await bundleFor(file, bundle);
      if (problem) {
        console.error(`Cannot bundle ${file} for Node:\n${problem}`);
        return { passed: 0, failed: 1, skipped: 0 };
      }
      bundles.push(bundle);
    }
    relay = await startRelay();
    const { output, code } = await runTests(
      [node, "--test", "--test-reporter=spec", ...bundles],
      { env: relayEnv(relay), signal },
    );
    return nodeTotals(output, code);
  } finally {
    await relay?.close();
    await Deno.remove(dir, { recursive: true });
  }
}

function relayEnv(relay?: RunningRelay): Record<string, string> {
  if (!relay) return {};
  return {
    STREAMRELAY_TEST_RELAY_URL: relay.url,
    STREAMRELAY_TEST_RELAY_SECRET: relay.secret,
  };
}

async function bundleFor(
  file: string,
  to: string,
): Promise<string | undefined> {
  const { code, stderr } = await runCommand([
    Deno.execPath(),
    "bundle",
    "--quiet",
    "--platform",
    "deno",
    "--output",
    to,
    new URL(`../../${file}`, import.meta.url).pathname,
  ], { cwd: new URL("../../", import.meta.url).pathname });
  return code === 0 ? undefined : stderr.trim();
}

if (import.meta.main) {
  const [node, ...files] = Deno.args;
  const totals = await runOnNode(node, files);
  console.log(totals);
  Deno.exit(totals.failed === 0 ? 0 : 1);
}
