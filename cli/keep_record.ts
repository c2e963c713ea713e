/** @module */
import { findJobRecord, type SubmittedJob, writeJobRecord } from "../adapters/mod.ts";

/** Milliseconds that an executor has to forget a job it has seen the end of. */
const PATIENCE = 1_000;

/**
 * Keeps a job in mind after its end, so that `ls` and `logs` find it while the relay keeps its stream;
 * the executor that reads a stream to its end forgets it.
 *
 * @param job The job.
 */
export async function keepRecord(job: SubmittedJob): Promise<void> {
  const until = performance.now() + PATIENCE;
  while (performance.now() < until && await findJobRecord(job.channel)) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await writeJobRecord(job);
}
