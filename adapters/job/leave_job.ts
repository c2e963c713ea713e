/**
 * Submits a job that nobody stays with.
 *
 * @module
 */
import { ControlClient } from "../../client/mod.ts";
import { StreamError } from "../../stream/stream_error.ts";
import type { ExecutorConfig } from "../executor_config.ts";
import type { Scheduler } from "../scheduler.ts";
import { type SubmittedJob, writeJobRecord } from "./job_record.ts";
import { type Launch, prepareJob, recordOf } from "./launch.ts";
import { submittedStatus } from "./submitted_status.ts";

/**
 * Submits a job, remembers it and leaves it to itself.
 *
 * @param scheduler Where it is submitted.
 * @param launch What is wanted.
 * @param signal Breaks it off before the job is submitted.
 * @returns The job.
 * @throws {StreamError} Whatever stands in the way.
 */
export async function leaveJob<C extends ExecutorConfig>(
  scheduler: Scheduler<C>,
  launch: Launch<C>,
  signal?: AbortSignal,
): Promise<SubmittedJob> {
  const { config } = launch;
  const [release] = scheduler.enter(config, 1);
  try {
    const prepared = await prepareJob(scheduler, launch, {
      lease: config.detachedLease ?? 604_800,
      onDisconnect: { pending: "keep", running: "keep" },
    });
    const { relay: url, channel, tokens } = prepared;
    const control = new ControlClient({ url, token: tokens.supervise });
    try {
      signal?.throwIfAborted();
      const submitted = await scheduler.submitJob(prepared.submission);
      const job = {
        ...recordOf(scheduler, prepared, submitted),
        detached: true,
      };
      await writeJobRecord(job);
      await control.status(channel, submittedStatus(prepared, submitted)).catch((error) => {
        // a short job may be over by now
        if (!(error instanceof StreamError && error.code === "ended")) throw error;
      });
      return job;
    } catch (error) {
      const failure = StreamError.from(error, "submit_failed");
      for (const file of prepared.files) await scheduler.files.remove(file).catch(() => {});
      await prepared.place.leave(false).catch(() => {});
      await control.end(channel, { kind: "error", ...failure.toJSON() })
        .catch(() => {});
      throw failure;
    }
  } finally {
    release();
  }
}
