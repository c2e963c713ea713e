/**
 * The files of a job, on the machine that its scheduler's programs run on.
 *
 * @module
 */
import { StreamError } from "../../stream/stream_error.ts";
import type { ProgramRunner } from "../program_runner.ts";
import { stateFolder, writePrivate } from "../state_folder.ts";

/** Files that a job leaves, or needs. */
export interface JobFiles {
  /** The machine, as it is called in messages; `undefined` for this one. */
  readonly place?: string;
  /**
   * The whole of a text file that need not be there.
   *
   * @param path Its path.
   * @returns The text; `undefined` where there is no such file.
   * @throws {Error} For one that is there, or may be, and can't be read.
   */
  text(path: string): Promise<string | undefined>;
  /**
   * The beginning of a script, as far as directives can stand in it.
   *
   * @param path Its path.
   * @returns The text; `undefined` where it can't be read.
   */
  head(path: string): Promise<string | undefined>;
  /**
   * The end of an output file.
   *
   * @param path Its path.
   * @returns The text; `undefined` where it can't be read, or is empty.
   */
  tail(path: string): Promise<string | undefined>;
  /**
   * Writes a file that only this user can read.
   *
   * @param name Its name.
   * @param text What it shall hold.
   * @param folder Its folder, which is made; `credentials` in the state folder by default.
   * @returns Its path.
   */
  writePrivate(name: string, text: string, folder?: string): Promise<string>;
  /**
   * Removes a file, or a folder with all in it, if it is there.
   *
   * @param path Its path.
   */
  remove(path: string): Promise<void>;
}

const TAIL = 2_048;
const HEAD = 65_536;

/** Files of this machine. */
export const localFiles: JobFiles = {
  async text(path) {
    try {
      return await Deno.readTextFile(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  },
  async head(path) {
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(await Deno.readFile(path));
    } catch {
      return undefined;
    }
  },
  async tail(path) {
    const text = await Deno.readTextFile(path).catch(() => "");
    return text.slice(-TAIL) || undefined;
  },
  async writePrivate(name, text, folder) {
    if (folder !== undefined) await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    const path = `${folder ?? await stateFolder("credentials")}/${name}`;
    await writePrivate(path, text);
    return path;
  },
  async remove(path) {
    await Deno.remove(path, { recursive: true }).catch(() => {});
  },
};

/** Makes the folder and the file, and prints the path as nodes know it. */
const WRITE = `umask 077
folder=\${1:-\${XDG_STATE_HOME:-$HOME/.local/state}/streamrelay/credentials}
mkdir -p -- "$folder" && cd -- "$folder" && cat >"$2.new" && mv -- "$2.new" "$2" && printf '%s/%s' "$PWD" "$2"`;

/**
 * Files of another machine.
 *
 * @param programs Runs programs there.
 * @returns Its files.
 */
export function remoteFiles(programs: ProgramRunner): JobFiles {
  const read = async (program: string, bytes: number, path: string) => {
    const { code, stdout } = await programs.run(program, ["-c", String(bytes), "--", path]);
    return code === 0 && stdout !== "" ? stdout : undefined;
  };
  return {
    place: programs.place,
    async text(path) {
      const { code, stdout, stderr } = await programs.run("env", ["LC_ALL=C", "cat", "--", path]);
      if (code === 0) return stdout;
      if (stderr.endsWith("No such file or directory")) return undefined;
      throw new Error(stderr || `exit code ${code}`);
    },
    head: (path) => read("head", HEAD, path),
    tail: (path) => read("tail", TAIL, path),
    async writePrivate(name, text, folder = "") {
      const { code, stdout, stderr } = await programs.run(
        "bash",
        ["-c", WRITE, "bash", folder, name],
        { stdin: text },
      );
      if (code === 0) return stdout;
      throw new StreamError(
        "submit_failed",
        `Cannot write the job's credentials on ${programs.place}: ${stderr || `exit code ${code}`}`,
      );
    },
    async remove(path) {
      await programs.run("rm", ["-rf", "--", path]);
    },
  };
}
