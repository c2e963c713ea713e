/**
 * `deno task bundle`: makes the one file that a job carries for Deno and Node, out of
 * `adapters/producers/entry.ts`. A test compares the committed file with a fresh one.
 *
 * @module
 */
import { fileURLToPath } from "node:url";

const folder = new URL("../../adapters/producers/", import.meta.url);

/** Where the bundle is kept. */
export const BUNDLE: URL = new URL("streamrelay-producer.js", folder);

/**
 * Bundles the producer.
 *
 * @returns The bundle's text, which depends on nothing but the sources and the version of Deno.
 */
export async function bundleProducer(): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "bundle",
      "--quiet",
      "--platform=deno",
      // Node 22 has no `using` declarations; minifying lowers them.
      "--minify",
      fileURLToPath(new URL("entry.ts", folder)),
    ],
    stdin: "null",
  }).output();
  const text = new TextDecoder().decode(stdout);
  if (!success || text === "") {
    throw new Error(`Cannot bundle: ${new TextDecoder().decode(stderr)}`);
  }
  return text;
}

if (import.meta.main) {
  const text = await bundleProducer();
  await Deno.writeTextFile(BUNDLE, text);
  console.log(`${fileURLToPath(BUNDLE)}: ${text.length} characters`);
}
