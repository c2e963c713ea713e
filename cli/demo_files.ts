/**
 * Where the demo's program and texts are.
 *
 * @module
 */
import { stateFolder } from "../adapters/state_folder.ts";
import { StreamError } from "../stream/mod.ts";
import config from "../deno.json" with { type: "json" };

/**
 * The folder of the examples: in a clone, the one there; of a program that came from a registry, copies
 * that are fetched once into the state folder.
 *
 * @returns Its path.
 * @throws {StreamError} `unreachable` where they can't be fetched, `unsupported` for a compiled program.
 */
export async function demoFiles(): Promise<string> {
  const source = new URL("../examples/", import.meta.url);
  if (source.protocol !== "file:") return await fetchFiles(source);
  const path = decodeURIComponent(source.pathname).replace(/\/$/, "");
  const found = await Deno.stat(`${path}/tiny_lm.ts`).catch(() => undefined);
  if (found) return path;
  throw new StreamError(
    "unsupported",
    `Cannot run the demo: its program is not at ${path}, expected a clone of the project or the package from JSR`,
  );
}

async function fetchFiles(source: URL): Promise<string> {
  const folder = await stateFolder(`demo-${config.version}`);
  const complete = `${folder}/.complete`;
  if (await Deno.stat(complete).then(() => true, () => false)) return folder;
  // @scope/name/1.2.3/examples/ is told of in @scope/name/1.2.3_meta.json beside it
  const root = new URL("../", source);
  const meta = new URL(`${root.href.replace(/\/$/, "")}_meta.json`);
  const { manifest } = await (await fetched(meta)).json();
  for (const path of Object.keys(manifest ?? {})) {
    const [, name] = /^\/examples\/((?:lm|texts)\/[\w.-]+|tiny_lm\.ts)$/.exec(path) ?? [];
    if (name === undefined) continue;
    await stateFolder(`demo-${config.version}/${name.includes("/") ? name.split("/")[0] : ""}`);
    const file = await fetched(new URL(name, source));
    await Deno.writeTextFile(`${folder}/${name}`, await file.text());
  }
  await Deno.writeTextFile(complete, "");
  return folder;
}

async function fetched(url: URL): Promise<Response> {
  try {
    const answer = await fetch(url);
    if (answer.ok) return answer;
    throw new Error(`the answer was ${answer.status}`);
  } catch (error) {
    throw StreamError.from(
      error,
      "unreachable",
      `Cannot fetch the demo's files from ${url}: `,
    );
  }
}
