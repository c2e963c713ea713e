/**
 * Which mount a path lies on.
 *
 * @module
 */

/** A mount. */
export interface Mount {
  /** Its file system's type: `ext4`, `nfs4`, `fuse.sshfs` … */
  type: string;
  /** Its options: `rw`, `local_lock=none` … */
  options: ReadonlySet<string>;
}

/**
 * Finds the mount of a path in Linux' table.
 *
 * @param path An absolute path without links.
 * @param table What `/proc/self/mountinfo` says; `man 5 proc_pid_mountinfo`.
 * @returns The mount, or `undefined` where the table has none for the path.
 */
export function mountOf(path: string, table: string): Mount | undefined {
  let found: Mount | undefined;
  let depth = -1;
  for (const line of table.split("\n")) {
    const [left, right] = line.split(" - ");
    if (right === undefined) continue;
    const [, , , , point, options] = left.split(" ");
    const [type, , superOptions] = right.split(" ");
    const root = unescape(point).replace(/\/$/, "");
    // of two on the same point, the later one covers the earlier
    if (root.length < depth || (path !== root && !path.startsWith(`${root}/`))) continue;
    depth = root.length;
    found = { type, options: new Set(`${options},${superOptions ?? ""}`.split(",")) };
  }
  return found;
}

/** Blanks and backslashes stand there as `\040`. */
function unescape(point: string): string {
  return point.replace(
    /\\([0-7]{3})/g,
    (_, octal: string) => String.fromCharCode(parseInt(octal, 8)),
  );
}
