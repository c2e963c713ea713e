/**
 * Secrets, from where they can be kept: files and the environment before arguments.
 *
 * @module
 */
import { whyMissing } from "../adapters/why_missing.ts";
import type { Flag } from "./command.ts";
import type { Given } from "./given.ts";
import { say } from "./say.ts";
import { UsageError } from "./usage_error.ts";

/**
 * The two flags by which a secret can be given.
 *
 * @param name Such as `token`.
 * @param help What it is.
 * @param env Its variables; the file's is the first one with `_FILE`.
 * @returns `--NAME-file FILE` and `--NAME VALUE`.
 */
export function secretFlags(
  name: string,
  help: string,
  env: readonly string[],
): Flag[] {
  return [
    {
      name: `${name}-file`,
      value: "FILE",
      help: `${help}, in a file`,
      env: [`${env[0]}_FILE`],
    },
    {
      name,
      value: name.toUpperCase(),
      help: "The same itself; everybody can read arguments, but not variables",
      env,
      secret: true,
    },
  ];
}

/**
 * A secret that was typed: in a file, or as it is.
 *
 * @param given What was typed.
 * @param name The flag's name.
 * @returns The secret; `undefined` where none was typed.
 * @throws {UsageError} For a file that can't be read or is empty, and where both were typed.
 */
export async function typedSecret(
  given: Given,
  name: string,
): Promise<string | undefined> {
  const [file, value] = [given.typed(`${name}-file`), given.typed(name)];
  if (file !== undefined && value !== undefined) {
    throw new UsageError(
      `Cannot use --${name} and --${name}-file together: expected one of them`,
    );
  }
  return file === undefined ? value : await readSecret(`--${name}-file`, file);
}

/**
 * A secret that the environment holds or names.
 *
 * @param given What was typed.
 * @param name The flag's name.
 * @returns The secret; `undefined` where there is none.
 * @throws {UsageError} For a file that can't be read or is empty.
 */
export async function environmentSecret(
  given: Given,
  name: string,
): Promise<string | undefined> {
  const file = given.environment(`${name}-file`);
  return file === undefined ? given.environment(name) : await readSecret(`the ${name} file`, file);
}

async function readSecret(what: string, path: string): Promise<string> {
  let secret: string;
  try {
    secret = (await Deno.readTextFile(path)).trim();
    const { mode, isFile } = await Deno.stat(path);
    if (isFile && mode !== null && mode & 0o044) {
      say(`Warning: ${path} can be read by others: chmod 600 it`);
    }
  } catch (error) {
    const why = whyMissing(error);
    throw new UsageError(
      `Cannot read ${what} ${path}: ${why}, expected a file with one line`,
    );
  }
  if (secret === "" || /[\r\n]/.test(secret)) {
    throw new UsageError(
      `Cannot use ${what} ${path}: it ${
        secret === "" ? "is empty" : "has several lines"
      }, expected a file with one line`,
    );
  }
  return secret;
}
