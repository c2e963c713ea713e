/** @module */
import { cleanEnvironment } from "./clean_environment.ts";

/**
 * Starts a program that is spoken with as long as it runs, without this process's secrets.
 *
 * @param command The program.
 * @param args Its arguments.
 * @returns The process, its three streams piped.
 */
export function pipedProcess(command: string, args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(command, {
    args: [...args],
    clearEnv: true,
    env: cleanEnvironment(),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    // a Ctrl-C in the terminal is for us: we end it in order
    detached: true,
  }).spawn();
}
