/**
 * The stream of a job that was submitted before.
 *
 * @module
 */
import { SlurmExecutor, type SubmittedJob } from "../adapters/mod.ts";
import { ControlClient, RelayConsumer } from "../client/mod.ts";
import type { TokenStream } from "../stream/mod.ts";

/** The longest queue time and wall time together, in seconds. */
const LEASE = 604_800;

/**
 * Takes a job's stream up. Where nobody looks after a scheduler's job any more, this process does
 * while it reads: only a supervisor can find out why a job failed.
 *
 * @param job The job.
 * @param from First record wanted.
 * @returns Its stream.
 * @throws {StreamError} As the relay answers.
 */
export async function takeUp(job: SubmittedJob, from = 0): Promise<TokenStream> {
  const { relay: url, channel, tokens, key = "" } = job;
  const control = new ControlClient({ url, token: tokens.consume });
  const { end, supervisors, incarnation } = await control.info(channel);
  const orphan = job.executor === "slurm" && !end && supervisors === 0;
  if (orphan && from === 0 && incarnation === job.incarnation) {
    return supervisorOf(job).attach(job);
  }
  const consumer = new RelayConsumer({
    url,
    channel,
    token: tokens.consume,
    key,
    ...(key && { encryption: "v2" }),
    from,
  });
  return consumer.stream();
}

/**
 * An executor that can look after a job of a scheduler's, and leaves it alone when it goes.
 *
 * @param job The job.
 * @returns The executor.
 */
export function supervisorOf(job: SubmittedJob): SlurmExecutor {
  return new SlurmExecutor({
    relay: { url: job.relay },
    lease: LEASE,
    onDisconnect: { pending: "keep", running: "keep" },
  });
}
