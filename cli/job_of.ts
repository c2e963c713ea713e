/** @module */
import { listJobRecords, type SubmittedJob } from "../adapters/mod.ts";
import type { Given } from "./given.ts";
import { UsageError } from "./usage_error.ts";

/**
 * The job that was typed: by its channel, the beginning of it, or the scheduler's id.
 *
 * @param given What was typed.
 * @returns The job.
 * @throws {UsageError} Where none or several are meant.
 */
export async function jobOf(given: Given): Promise<SubmittedJob> {
  const [id] = given.positionals;
  if (id === undefined) {
    throw new UsageError("No job was given: expected an id, as ls shows");
  }
  const jobs = await listJobRecords();
  const exact = jobs.findLast((job) => job.channel === id || job.jobId === id);
  const alike = jobs.filter((job) => job.channel.startsWith(id));
  if (exact) return exact;
  if (alike.length === 1) return alike[0];
  throw new UsageError(
    alike.length === 0
      ? `Unknown job ${JSON.stringify(id)}: expected an id, as ls shows`
      : `Which job ${JSON.stringify(id)} is meant is open: ${
        alike.map(({ channel }) => channel).join(", ")
      }`,
  );
}
