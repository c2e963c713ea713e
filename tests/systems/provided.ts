/**
 * What a suite can have: a real system, a stand-in for it, or the reason why there is none.
 *
 * @module
 */

/** One system that suites need, as the runner got hold of it. */
export interface Provided {
  /** The name that `needs` and `REQUIRE` use. */
  name: string;
  /** Whether it is the real thing. */
  kind: "real" | "stand-in" | "skipped";
  /** Why it was skipped, or what exactly it is. */
  reason?: string;
  /** What the tests find in their environment. */
  env: Record<string, string>;
  /** Stops what was started for it. */
  stop(): Promise<void>;
}

/**
 * A system that this machine can't have.
 *
 * @param name Its name.
 * @param why The reason, or the error that is one.
 * @returns What a provider answers then.
 */
export function skipped(name: string, why: unknown): Provided {
  const reason = (why instanceof Error ? why.message : String(why))
    .replaceAll("\n", " ");
  return { name, kind: "skipped", reason, env: {}, stop: async () => {} };
}
