/** Virtual environments of Python. @module */
import { aptGet } from "./apt_install.ts";
import { runCommand } from "./run_command.ts";

/**
 * Makes a virtual environment and installs packages from PyPI into it.
 *
 * @param dir An empty folder.
 * @param packages What to install, with versions.
 * @throws {Error} with the last line of what went wrong.
 */
export async function venv(dir: string, packages: readonly string[]): Promise<void> {
  const make = () => runCommand(["python3", "-m", "venv", dir]);
  let made = await make();
  // Debian's python3 comes without ensurepip
  if (made.code !== 0 && !await aptGet(["python3-venv"])) made = await make();
  if (made.code !== 0) throw new Error(`python3 -m venv: ${lastLine(made)}`);
  const pip = await runCommand([
    `${dir}/bin/python`,
    "-m",
    "pip",
    "install",
    "--quiet",
    "--disable-pip-version-check",
    ...packages,
  ]);
  if (pip.code !== 0) throw new Error(`pip install: ${lastLine(pip)}`);
}

function lastLine({ stdout, stderr }: { stdout: string; stderr: string }): string | undefined {
  return (stderr.trim() || stdout.trim()).split("\n").at(-1);
}
