/** @module */

const ROOT = new URL("../../", import.meta.url);

/**
 * Files of the project.
 *
 * @param folder A folder, from the project's root; `""` is the root itself, without folders.
 * @param ending How their names end.
 * @returns Their paths from the project's root, sorted; none if there is no such folder.
 */
export async function sourceFiles(
  folder: string,
  ending = ".ts",
): Promise<string[]> {
  const found: string[] = [];
  const prefix = folder && `${folder}/`;
  let entries: Deno.DirEntry[];
  try {
    entries = await Array.fromAsync(Deno.readDir(new URL(`${prefix}.`, ROOT)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  for (const { name, isDirectory, isFile } of entries) {
    if (isDirectory && folder) {
      found.push(...await sourceFiles(`${prefix}${name}`, ending));
    } else if (isFile && name.endsWith(ending)) {
      found.push(`${prefix}${name}`);
    }
  }
  return found.sort();
}
