/**
 * Where a scheduler's programs run: on this machine, or on one that is reached by ssh.
 *
 * @module
 */
import { pipedProcess } from "./piped_process.ts";
import {
  type ProgramOutcome,
  requireProgram,
  runProgram,
  type RunProgramOptions,
} from "./run_program.ts";

/** Where shells can be started. */
export interface Machine {
  /** Its name; absent for this one. */
  readonly host?: string;
  /**
   * Starts a shell.
   *
   * @returns Its process: what it shall do goes in on standard input.
   * @throws {StreamError} `unreachable` or `unauthorized` where the machine can't be reached.
   */
  shell(): Promise<Deno.ChildProcess>;
  /**
   * Makes an address that the machine can reach reachable from here, for as long as the connection lives.
   *
   * @param target Host and port, as seen from there.
   * @returns The port here, and what takes it back.
   * @throws {StreamError} `submit_failed` where the machine does not allow it.
   */
  reach?(target: string): Promise<{ port: number; close(): Promise<void> }>;
}

/** Runs programs on one machine. */
export interface ProgramRunner {
  /** The machine; the same one for all runners that share a connection. */
  readonly machine: Machine;
  /** The machine, as it is called in messages; `undefined` for this one. */
  readonly place?: string;
  /**
   * Runs a program to its end.
   *
   * @param program Its name or path.
   * @param args Its arguments, which everybody on that machine can read: no secret, no prompt.
   * @param options Input, folder, signal.
   * @returns What it printed and how it ended.
   * @throws {StreamError} `submit_failed` where there is no such program; whatever stands in the way of
   * reaching the machine.
   */
  run(
    program: string,
    args: readonly string[],
    options?: RunProgramOptions,
  ): Promise<ProgramOutcome>;
  /**
   * Makes sure that a program is there, before anything is begun that needs it.
   *
   * @param program Its name or path.
   * @throws {StreamError} `submit_failed` where it isn't.
   */
  require(program: string): Promise<void>;
}

const here: Machine = {
  shell: () => Promise.resolve(pipedProcess("bash", ["-s"])),
};

/** Runs programs on this machine. */
export const localPrograms: ProgramRunner = {
  machine: here,
  run: runProgram,
  require: requireProgram,
};
