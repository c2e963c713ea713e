/** @module */

const CACHE = new URL("../../.cache/", import.meta.url).pathname;

/**
 * A folder under `.cache/` that is built once and used by all later runs. Two runs at the
 * same time wait for each other.
 *
 * @param name The folder's name.
 * @param version What it holds; another version builds it anew.
 * @param build Fills the empty folder. If it throws, nothing is kept.
 * @returns The folder's path.
 */
export async function cached(
  name: string,
  version: string,
  build: (dir: string) => Promise<void>,
): Promise<string> {
  const dir = CACHE + name;
  const mark = `${dir}/.complete`;
  await Deno.mkdir(CACHE, { recursive: true });
  using lock = await Deno.open(`${dir}.lock`, { create: true, write: true });
  await lock.lock(true);
  if (await readOr(mark, "") === version) return dir;
  await Deno.remove(dir, { recursive: true }).catch(() => {});
  await Deno.mkdir(dir);
  await build(dir);
  await Deno.writeTextFile(mark, version);
  return dir;
}

async function readOr(path: string, otherwise: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return otherwise;
  }
}
