/**
 * A stand-in for JSR: serves this package as it would be published, and the stand-ins in `std/` as the
 * `@std` packages. Deno takes it for JSR when `JSR_URL` names it.
 *
 * @module
 */
import { encodeHex } from "@std/encoding/hex";
import config from "../../deno.json" with { type: "json" };
import { runCommand } from "../systems/run_command.ts";
import { sourceFiles } from "./source_files.ts";

/** A running stand-in. */
export interface JsrStandIn {
  /** For `JSR_URL`, with a slash at its end. */
  url: string;
  /** Every path that was asked for. */
  readonly asked: string[];
  /** Stops it. */
  stop(): Promise<void>;
}

interface Package {
  version: string;
  exports: Record<string, string>;
  /** Contents by path, which begins with a slash. */
  files: Map<string, Uint8Array<ArrayBuffer>>;
}

const ROOT = new URL("../../", import.meta.url);

/**
 * Starts a stand-in on a free port of this machine.
 *
 * @returns The stand-in.
 * @throws {Error} if the package can't be published.
 */
export async function startJsrStandIn(): Promise<JsrStandIn> {
  const packages = new Map<string, Package>([[config.name, await ourPackage()]]);
  for (const link of config.links) {
    const { name, ...one } = await linkedPackage(link.replace(/^\.\//, ""));
    packages.set(name, one);
  }
  const asked: string[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      asked.push(pathname);
      return await answer(packages, pathname) ?? new Response("Not found", { status: 404 });
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    asked,
    stop: () => server.shutdown(),
  };
}

/** The files that `deno publish` would send, as it would send them. */
async function ourPackage(): Promise<Package> {
  const { code, stdout, stderr } = await runCommand([
    Deno.execPath(),
    "publish",
    "--dry-run",
    "--allow-dirty",
    "--no-check",
    "--allow-slow-types",
  ], { cwd: ROOT.pathname, env: { NO_COLOR: "1" } });
  if (code !== 0) throw new Error(`Cannot publish: ${stderr}`);
  const paths = [...`${stdout}\n${stderr}`.matchAll(/^\s+(file:\S+) \(/gm)]
    .map(([, url]) => url.slice(ROOT.href.length));
  return {
    version: config.version,
    exports: config.exports,
    files: await contents(ROOT, paths),
  };
}

async function linkedPackage(folder: string): Promise<Package & { name: string }> {
  const base = new URL(`${folder}/`, ROOT);
  const { name, version, exports } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", base)),
  );
  const paths = (await sourceFiles(folder)).map((path) => path.slice(folder.length + 1));
  return {
    name,
    version,
    exports: typeof exports === "string" ? { ".": exports } : exports,
    files: await contents(base, paths),
  };
}

async function contents(
  base: URL,
  paths: readonly string[],
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const encoder = new TextEncoder();
  return new Map(
    await Promise.all(paths.map(async (path) => {
      const bytes = await Deno.readFile(new URL(path, base));
      const isCode = path.endsWith(".ts");
      return [
        `/${path}`,
        isCode ? encoder.encode(unfurled(new TextDecoder().decode(bytes))) : bytes,
      ] as const;
    })),
  );
}

/** Publishing writes the import map into the sources. */
function unfurled(source: string): string {
  return source.replace(
    /((?:\bfrom|\bimport)\s*\(?\s*)"(@?[a-z][^":]*)"/g,
    (whole, before, specifier) => {
      for (const [name, target] of Object.entries(config.imports)) {
        if (specifier === name || specifier.startsWith(`${name}/`)) {
          return `${before}"${target}${specifier.slice(name.length)}"`;
        }
      }
      return whole;
    },
  );
}

async function answer(
  packages: ReadonlyMap<string, Package>,
  pathname: string,
): Promise<Response | undefined> {
  for (const [name, { version, exports, files }] of packages) {
    if (!pathname.startsWith(`/${name}/`)) continue;
    const rest = pathname.slice(name.length + 2);
    if (rest === "meta.json") {
      const [scope, short] = name.slice(1).split("/");
      const versions = { [version]: {} };
      return Response.json({ scope, name: short, latest: version, versions });
    }
    if (rest === `${version}_meta.json`) {
      return Response.json({ manifest: await manifest(files), exports });
    }
    const file = files.get(rest.slice(version.length));
    if (file === undefined || !rest.startsWith(`${version}/`)) return undefined;
    return new Response(file, { headers: { "content-type": mediaType(rest) } });
  }
}

async function manifest(
  files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
): Promise<Record<string, { size: number; checksum: string }>> {
  const entries = [...files].map(async ([path, bytes]) => {
    const digest = await crypto.subtle.digest("SHA-256", bytes);
    return [path, { size: bytes.length, checksum: `sha256-${encodeHex(digest)}` }];
  });
  return Object.fromEntries(await Promise.all(entries));
}

function mediaType(path: string): string {
  if (path.endsWith(".ts")) return "text/typescript";
  return path.endsWith(".json") ? "application/json" : "text/plain";
}
