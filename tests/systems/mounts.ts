/** Mounts of one's own, for the suites that need files where only a site's administrator puts them. @module */
import { type Provided, skipped } from "./provided.ts";
import { onPath } from "./on_path.ts";
import { runCommand } from "./run_command.ts";

/**
 * Finds out how a process here gets mounts of its own.
 *
 * @returns `STREAMRELAY_TEST_MOUNTS`, the flags of `unshare`.
 */
export async function provideMounts(): Promise<Provided> {
  const unshare = onPath("unshare");
  if (unshare === undefined) return skipped("mounts", "there is no unshare");
  let why = "";
  for (const flags of ["-m", "-rm"]) {
    const { code, stderr } = await runCommand([
      unshare,
      flags,
      "mount",
      "-t",
      "tmpfs",
      "none",
      "/mnt",
    ]);
    if (code === 0) {
      const env = { STREAMRELAY_TEST_MOUNTS: flags };
      return {
        name: "mounts",
        kind: "real",
        reason: `unshare ${flags}`,
        env,
        stop: async () => {},
      };
    }
    why = stderr.trim();
  }
  return skipped("mounts", `no mounts of its own: ${why}`);
}
