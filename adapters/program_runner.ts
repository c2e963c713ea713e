/**
 * Where a scheduler's programs run: on this machine, or on one that is reached by ssh.
 *
 * @module
 */
import {
  type ProgramOutcome,
  requireProgram,
  runProgram,
  type RunProgramOptions,
} from "./run_program.ts";

/** Runs programs on one machine. */
export interface ProgramRunner {
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

/** Runs programs on this machine. */
export const localPrograms: ProgramRunner = { run: runProgram, require: requireProgram };
