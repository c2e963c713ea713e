/** A compute node that has next to nothing: a folder to stand as the whole PATH of a job. @module */
import { onPath } from "./on_path.ts";
import { runCommand } from "./run_command.ts";

/** What every Linux has, and job scripts rely on. */
const COMMON = [
  ..."bash env cat chmod cut date dd head id ls mkdir mkfifo mktemp mv od rm sleep sort tail tee"
    .split(" "),
  ..."timeout touch tr uname wc base64 stdbuf awk sed grep gzip iconv".split(" "),
];

/**
 * Makes the folder: links to bash, coreutils and the like, and to what is named; nothing else.
 *
 * @param folder Where; it is made.
 * @param programs What the node has beside, by name or path.
 * @returns The folder, for `PATH`.
 */
export async function bareNode(folder: string, programs: readonly string[]): Promise<string> {
  await Deno.mkdir(folder);
  for (const program of [...COMMON, ...programs]) {
    const name = program.split("/").at(-1)!;
    const path = name === "python3" ? await python() : onPath(program) ?? program;
    if (!path.startsWith("/")) throw new Error(`This machine has no ${program}`);
    await Deno.symlink(path, `${folder}/${name}`);
  }
  return folder;
}

/** Python itself: on PATH may stand a script of a version manager's, which needs more than itself. */
async function python(): Promise<string> {
  const { stdout } = await runCommand(["python3", "-c", "import sys; print(sys.executable)"]);
  return stdout.trim();
}
