/** Python with the original `streamrelay` package, in a virtual environment. @module */
import { aptGet, aptInstall } from "./apt_install.ts";
import { cached } from "./cached.ts";
import { type Provided, skipped } from "./provided.ts";
import { runCommand } from "./run_command.ts";

const PINNED = ["streamrelay==0.3.1", "cryptography==50.0.2"];

/**
 * Makes a virtual environment with the Python package whose protocol v1 we speak.
 *
 * @returns `STREAMRELAY_TEST_PYTHON`: the path of its python.
 */
export async function providePython(): Promise<Provided> {
  const lack = await aptInstall(["python3"], ["python3", "python3-venv"]);
  if (lack) return skipped("python", lack);
  try {
    const dir = await cached("python", PINNED.join(" "), build);
    const python = `${dir}/bin/python`;
    const { stdout } = await runCommand([python, "--version"]);
    return {
      name: "python",
      kind: "real",
      reason: `${stdout.trim()}, ${PINNED.join(", ")}`,
      env: { STREAMRELAY_TEST_PYTHON: python },
      stop: async () => {},
    };
  } catch (error) {
    return skipped("python", error);
  }
}

async function build(dir: string) {
  const make = () => runCommand(["python3", "-m", "venv", dir]);
  let venv = await make();
  // Debian's python3 comes without ensurepip.
  if (venv.code !== 0 && !await aptGet(["python3-venv"])) venv = await make();
  if (venv.code !== 0) throw new Error(`python3 -m venv: ${lastLine(venv)}`);
  const pip = await runCommand([
    `${dir}/bin/python`,
    "-m",
    "pip",
    "install",
    "--quiet",
    "--disable-pip-version-check",
    ...PINNED,
  ]);
  if (pip.code !== 0) throw new Error(`pip install: ${lastLine(pip)}`);
}

function lastLine({ stdout, stderr }: { stdout: string; stderr: string }) {
  return (stderr.trim() || stdout.trim()).split("\n").at(-1);
}
