/** A relay of the test's own, and how an executor is told of it. @module */
import type { ExecutorConfig } from "../../adapters/mod.ts";
import { type Relay, type RelayOptions, serveRelay } from "../../server/mod.ts";

/** What a test of executors works with. */
export interface ExecutorFixture extends AsyncDisposable {
  /** A relay in this process. */
  relay: Relay;
  /** Its root secret. */
  secret: string;
  /** An empty folder; jobs run there. */
  dir: string;
  /** Relay, folder, and intervals that no test has to wait for. */
  config: ExecutorConfig;
}

/** Intervals that no test has to wait for. */
export const QUICK = {
  pollEvery: 300,
  pollAtMost: 600,
  pollFirst: 100,
  placesEvery: 1_000,
  fateAt: [100, 300, 600],
  fateEvery: 500,
  gather: 50,
  cancelRetry: 200,
};

/**
 * Starts a relay.
 *
 * @param options Changes to the relay.
 * @returns The fixture.
 */
export async function executorFixture(
  options: RelayOptions = {},
): Promise<ExecutorFixture> {
  const secret = crypto.randomUUID();
  const relay = await serveRelay({ port: 0, secret, ...options });
  const dir = await Deno.makeTempDir({ prefix: "streamrelay-test-" });
  return {
    relay,
    secret,
    dir,
    config: {
      relay: { url: relay.url, token: secret },
      workdir: dir,
      record: false,
      timings: QUICK,
      jobTimings: { killAfter: 1, grace: 2, giveUp: 5 },
    },
    async [Symbol.asyncDispose]() {
      await relay.close();
      await Deno.remove(dir, { recursive: true });
    },
  };
}
