/**
 * What a subcommand is: its words, its flags, its help, and what it does.
 *
 * @module
 */
import type { Given } from "./given.ts";

/** A flag of a subcommand. */
export interface Flag {
  /** Its name, without hyphens. */
  name: string;
  /** What stands for its value in the help (`N`, `FILE`); without one it takes none. */
  value?: string;
  /** What it does, in one line. */
  help: string;
  /** Environment variables that say the same, the first one that is set. */
  env?: readonly string[];
  /** Whether it can be given several times. */
  many?: boolean;
  /** Whether its value is secret: given as an argument it is warned of, because everybody can read those. */
  secret?: boolean;
}

/** A subcommand. */
export interface Command {
  /** Its words: `consume`, `channel new`. */
  name: string;
  /** What it does, in one line. */
  summary: string;
  /** Its arguments, as the first line of the help shows them. */
  synopsis: string;
  /** More that has to be known, in paragraphs of the help. */
  about?: string;
  /** Its flags. */
  flags: readonly Flag[];
  /** Most arguments that are no flags; 0 by default. */
  positionals?: number;
  /** Whether `-- words…` may follow. */
  trailing?: boolean;
  /** What to type, and what that does. */
  examples: readonly (readonly [line: string, does: string])[];
  /** Exit codes beyond those that every command has, with their meaning. */
  exits?: readonly (readonly [code: number | string, meaning: string])[];
  /**
   * Does it.
   *
   * @param given What was typed.
   * @returns The exit code.
   */
  run(given: Given): Promise<number>;
}
