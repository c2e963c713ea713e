/** @module */

/** A command that was typed wrongly: one sentence on stderr and exit code 2. */
export class UsageError extends Error {
  /** @param message What was wrong, and what was expected. */
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}
