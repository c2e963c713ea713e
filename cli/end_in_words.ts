/** @module */
import { finalRecord } from "../adapters/job/final_record.ts";
import type { SubmittedJob } from "../adapters/mod.ts";
import type { ChannelEnd } from "../stream/mod.ts";

/**
 * How a stream has ended, in one word.
 *
 * @param job The job.
 * @param end What the relay tells of its end.
 * @returns `done`, `sealed` where the key is missing, or the error's code, which may stand in the
 * producer's last record only.
 */
export async function endInWords(job: SubmittedJob, end: ChannelEnd): Promise<string> {
  if (end.kind === "done" || (end.kind === "sealed" && job.key === undefined)) return end.kind;
  if (end.code !== undefined) return end.code;
  const record = await finalRecord(job, end);
  return record.type === "error" ? record.code : record.type;
}
