/** @module */

/**
 * Where a program is, as a shell would find it, also in the folders of root's programs,
 * which a plain user's PATH lacks on Debian.
 *
 * @param program Its name.
 * @returns Its path, or undefined.
 */
export function onPath(program: string): string | undefined {
  const folders = `${Deno.env.get("PATH") ?? ""}:/usr/sbin:/sbin`.split(":");
  return folders.filter(Boolean).map((folder) => `${folder}/${program}`).find(
    (path) => {
      try {
        const { isFile, mode } = Deno.statSync(path);
        return isFile && (mode === null || (mode & 0o111) !== 0);
      } catch {
        return false;
      }
    },
  );
}
