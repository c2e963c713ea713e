/**
 * Which file systems cannot keep a second relay out.
 *
 * The store holds one exclusive lock and shares no memory, so a network file system will do if its locks
 * hold between hosts: NFS, Lustre, GPFS and CephFS as they are usually mounted.
 *
 * @module
 */
import type { Mount } from "./mount_of.ts";

type Rule = (options: ReadonlySet<string>) => string | undefined;

const HERE_ONLY = "whose locks hold on this host only";

const RULES: [type: RegExp, rule: Rule][] = [
  [/^nfs/, (options) => {
    if (options.has("nolock")) return "mounted without locks (nolock)";
    for (const option of ["local_lock=all", "local_lock=posix"]) {
      if (options.has(option)) return `${HERE_ONLY} (${option})`;
    }
  }],
  [/^lustre/, (options) => {
    if (options.has("localflock")) return `${HERE_ONLY} (localflock)`;
    if (options.has("noflock")) return "mounted without locks (noflock)";
  }],
  [
    /^(cifs|smb3?)$/,
    (options) => options.has("nobrl") ? "mounted without locks (nobrl)" : undefined,
  ],
  [/^beegfs/, () => HERE_ONLY],
  [/^fuse\.(sshfs|rclone|s3fs|gcsfuse|goofys|davfs2?)$/, () => HERE_ONLY],
];

/**
 * Why a store can't lie on a mount.
 *
 * @param mount The mount.
 * @returns The reason, which goes on after "Cannot keep a store in …:", or `undefined` where it can.
 */
export function unsafeMount({ type, options }: Mount): string | undefined {
  for (const [types, rule] of RULES) {
    if (types.test(type)) {
      const why = rule(options);
      return why && `it lies on ${type}, ${why}`;
    }
  }
}
