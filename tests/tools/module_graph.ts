/** Who imports whom, as Deno itself resolves it. @module */
import { runCommand } from "../systems/run_command.ts";

/** One import of one file. */
export interface Arrow {
  /** The importing file, from the project's root. */
  from: string;
  /** The imported one, from the root too, or a specifier such as `npm:zod`. */
  to: string;
  /** How it is imported: at start, when asked for, or only as a type. */
  how: "static" | "dynamic" | "type";
}

interface Info {
  modules: { specifier: string; dependencies?: Dependency[] }[];
  redirects?: Record<string, string>;
}

interface Dependency {
  specifier: string;
  code?: { specifier?: string };
  type?: { specifier?: string };
  npmPackage?: string;
  isDynamic?: boolean;
}

/**
 * Lists the imports of files, and of all that these import.
 *
 * @param files Paths from the project's root.
 * @returns Every arrow once.
 * @throws {Error} if Deno can't read them.
 */
export async function moduleGraph(files: readonly string[]): Promise<Arrow[]> {
  const root = new URL("../../", import.meta.url);
  const dir = await Deno.makeTempDir();
  try {
    // One module that imports them all: one call of Deno instead of one a file.
    const all = `${dir}/all.ts`;
    await Deno.writeTextFile(
      all,
      files.map((file) => `import ${JSON.stringify(new URL(file, root))};\n`)
        .join(""),
    );
    const config = new URL("deno.json", root).pathname;
    const { code, stdout, stderr } = await runCommand(
      [Deno.execPath(), "info", "--json", "--config", config, all],
    );
    if (code !== 0) throw new Error(`Cannot read the modules: ${stderr}`);
    const info: Info = JSON.parse(stdout);
    return info.modules
      .filter(({ specifier }) => specifier.startsWith(root.href))
      .flatMap((module) => arrows(module, root.href));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

function arrows(
  { specifier, dependencies = [] }: Info["modules"][number],
  root: string,
): Arrow[] {
  const inside = (url: string) => url.startsWith(root) ? url.slice(root.length) : url;
  return dependencies.map((dependency) => {
    const { code, type, isDynamic } = dependency;
    const target = code?.specifier ?? type?.specifier ?? dependency.specifier;
    return {
      from: inside(specifier),
      to: inside(target),
      how: !code ? "type" : isDynamic ? "dynamic" : "static",
    };
  });
}
