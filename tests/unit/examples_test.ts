/** Whoever reads about an export sees it used: each has an example, which the runner runs. @module */
import { assertEquals } from "@std/assert";
import { sourceFiles } from "../tools/source_files.ts";

/** As much of `deno doc --json` as is looked at. */
interface Declaration {
  kind: string;
  declarationKind: string;
  jsDoc?: { tags?: { kind: string }[] };
}

/** What a file exports, by file and name. */
async function documented(files: string[]): Promise<Map<string, [string, Declaration[]][]>> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", ...files],
    cwd: new URL("../../", import.meta.url),
  }).output();
  const { nodes }: {
    nodes: Record<string, { symbols: { name: string; declarations: Declaration[] }[] }>;
  } = JSON.parse(new TextDecoder().decode(stdout));
  return new Map(
    Object.entries(nodes).map(([file, { symbols }]) => [
      file,
      symbols.map(({ name, declarations }) => [name, declarations]),
    ]),
  );
}

Deno.test("examples - every function, class and value that is exported has one", async () => {
  const mod = [...(await documented(["mod.ts"])).values()].flat();
  const isPublic = new Set(mod.map(([name]) => name));
  const folders = ["stream", "client", "server", "adapters"];
  const files = (await Promise.all(folders.map((folder) => sourceFiles(folder)))).flat();
  const missing = [...await documented(files.filter((file) => !file.endsWith("/mod.ts")))]
    .flatMap(([file, symbols]) =>
      symbols.filter(([name, declarations]) =>
        isPublic.has(name) &&
        declarations.some(({ kind, declarationKind, jsDoc }) =>
          declarationKind === "export" && ["function", "class", "variable"].includes(kind) &&
          !jsDoc?.tags?.some((tag) => tag.kind === "example")
        )
      ).map(([name]) => `${name} in ${file.slice(file.lastIndexOf("/") + 1)}`)
    );
  assertEquals(missing, []);
});
