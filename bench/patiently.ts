/** @module */

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
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`${label}: not every message arrived within ${PATIENCE_MS / 1000} s`);
    timer = setTimeout(() => reject(error), PATIENCE_MS);
  });
  try {
    await Promise.race([ended, late]);
  } finally {
    clearTimeout(timer);
  }
}
