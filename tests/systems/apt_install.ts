/** @module */
import { onPath } from "./on_path.ts";
import { runCommand } from "./run_command.ts";

let updated = false;

/**
 * Makes sure that programs are there: installs Debian packages where they aren't and where
 * that is allowed (root on Debian or Ubuntu: a container, a VM, a CI machine).
 *
 * @param programs The programs that are needed.
 * @param packages The packages that hold them.
 * @returns Nothing when all is there; otherwise the reason, in one line.
 */
export async function aptInstall(
  programs: readonly string[],
  packages: readonly string[],
): Promise<string | undefined> {
  const missing = () => programs.filter((program) => !onPath(program));
  if (missing().length === 0) return undefined;
  const lack = `${missing().join(", ")} not found`;
  const refused = await aptGet(packages);
  if (refused) return `${lack}, and ${refused}`;
  return missing().length === 0 ? undefined : `${lack} after apt-get install`;
}

/**
 * Installs Debian packages, whatever is there already.
 *
 * @param packages Their names.
 * @returns Nothing when they are installed; otherwise the reason, in one line.
 */
export async function aptGet(
  packages: readonly string[],
): Promise<string | undefined> {
  if (!onPath("apt-get")) return "this is no Debian";
  if (Deno.uid() !== 0) return "only root may install it";
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  if (!updated) {
    await runCommand(["apt-get", "update", "-qq"], { env });
    updated = true;
  }
  const install = await runCommand([
    "apt-get",
    "install",
    "-y",
    "-qq",
    "--no-install-recommends",
    ...packages,
  ], { env });
  if (install.code === 0) return undefined;
  const why = install.stderr.trim().split("\n").at(-1);
  return `apt-get install failed: ${why}`;
}
