/** Who may import whom. The rule keeps a compute node's share of the code small. @module */
import { assertEquals } from "@std/assert";
import { type Arrow, moduleGraph } from "../tools/module_graph.ts";
import { sourceFiles } from "../tools/source_files.ts";

/** For each part of the house, the parts that it may import besides itself. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  stream: [],
  client: ["stream"],
  server: ["stream"],
  adapters: ["client", "stream"],
  "server/gateway": ["stream", "client", "server", "adapters"],
  "mod.ts": ["stream", "client", "server", "adapters", "server/gateway"],
  "cli.ts": ["stream", "client", "server", "adapters", "server/gateway"],
};

/** The one file of the adapters that may load the server, when it is asked to. */
const EMBEDDED_RELAY = "adapters/relay/embedded_relay.ts";

const files = (await Promise.all(
  ["stream", "client", "server", "adapters", "cli"].map((folder) => sourceFiles(folder)),
)).flat();
const roots = (await sourceFiles("")).filter((file) => file in MAY_IMPORT);
const graph = await moduleGraph([...files, ...roots]);

/** The part of the house that a file belongs to. */
function partOf(file: string): string {
  if (file.startsWith("server/gateway/")) return "server/gateway";
  // the subcommands are what cli.ts is made of
  if (file.startsWith("cli/")) return "cli.ts";
  return file.split("/")[0];
}

function allowed({ from, to, how }: Arrow): boolean {
  const [here, there] = [partOf(from), partOf(to)];
  if (here === there || !(there in MAY_IMPORT)) return true;
  if (MAY_IMPORT[here].includes(there)) return true;
  if (from === EMBEDDED_RELAY && there === "server") return how !== "static";
  // to cli.ts itself: its parts are nobody else's
  return from === "mod.ts" && to === "cli.ts" && how === "dynamic";
}

/** All that a file loads, by the arrows that a filter lets through. */
function loadedBy(
  file: string,
  follows: (arrow: Arrow) => boolean,
): Set<string> {
  const loaded = new Set([file]);
  for (const one of loaded) {
    for (const arrow of graph) {
      if (arrow.from === one && follows(arrow)) loaded.add(arrow.to);
    }
  }
  return loaded;
}

function inWords({ from, to, how }: Arrow): string {
  return `${from} imports ${to} (${how})`;
}

/** A source without its comments, in which a name may well stand. */
function withoutComments(source: string): string {
  return source.replace(/\/\*.*?\*\//gs, "").replace(/(^|\s)\/\/.*$/gm, "");
}

Deno.test("import rule - every part imports only what it may", () => {
  const wrong = graph
    .filter(({ from }) => partOf(from) in MAY_IMPORT)
    .filter((arrow) => !allowed(arrow));
  assertEquals(wrong.map(inWords), []);
});

Deno.test("import rule - nothing of the house imports tests or bench", () => {
  const wrong = graph.filter(({ to }) => /^(tests|bench|examples)\//.test(to));
  assertEquals(wrong.map(inWords), []);
});

Deno.test("import rule - the client loads no npm package, server or adapter", () => {
  const loaded = loadedBy("client/mod.ts", ({ how }) => how !== "type");
  const wrong = [...loaded].filter((to) => /^(npm:|server\/|adapters\/)/.test(to));
  assertEquals(wrong, []);
});

Deno.test("import rule - stream and client start without Node's modules", () => {
  // A browser has none; what is asked for only when needed may be guarded.
  const wrong = graph.filter(({ from, to, how }) =>
    /^(stream|client)\//.test(from) && to.startsWith("node:") &&
    how === "static"
  );
  assertEquals(wrong.map(inWords), []);
});

Deno.test("import rule - stream and client use nothing that only Deno has", async () => {
  const wrong: string[] = [];
  for (const file of files.filter((file) => /^(stream|client)\//.test(file))) {
    const source = withoutComments(await Deno.readTextFile(file));
    if (/\bDeno\s*\./.test(source)) wrong.push(file);
  }
  assertEquals(wrong, []);
});

Deno.test("import rule - the main module loads no gateway until asked", () => {
  const loaded = loadedBy("mod.ts", ({ how }) => how === "static");
  const wrong = [...loaded].filter((to) => partOf(to) === "server/gateway" || to === "cli.ts");
  assertEquals(wrong, []);
});
