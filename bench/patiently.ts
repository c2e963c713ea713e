/** @module */
import { deadline } from "@std/async/deadline";

/** How long a measurement may take in all. */
const PATIENCE_MS = 30_000;

/**
 * Waits for the end of a measurement: a server that stopped passing messages on must not stop the bench.
 *
 * @param ended The end.
 * @param label What the table calls the server.
 * @throws {Error} When it takes longer than 30 s.
 */
export async function patiently(ended: Promise<void>, label: string): Promise<void> {
  try {
    await deadline(ended, PATIENCE_MS);
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "TimeoutError")) throw error;
    throw new Error(`${label}: not every message arrived within ${PATIENCE_MS / 1000} s`);
  }
}
