/**
 * The jobs of this user that were submitted from here, for `ls`, `cancel`, `logs` and for whoever
 * takes a stream up again. The files hold tokens and keys and are readable by this user alone.
 *
 * @module
 */
import { isChannelId } from "../../stream/channel_id.ts";
import { StreamError } from "../../stream/stream_error.ts";
import type { Whereabouts } from "../whereabouts.ts";
import type { Via } from "../ssh/ssh_options.ts";
import { readPrivate, stateFolder, writePrivate } from "../state_folder.ts";

/** Tokens of one channel, by role. */
export interface ChannelTokens {
  /** For the job. */
  produce: string;
  /** For readers. */
  consume: string;
  /** For whoever looks after the job. */
  supervise: string;
  /** For asking for a cancel. */
  cancel: string;
}

/** A job that was submitted, with all that is needed to read, supervise and cancel it. */
export interface SubmittedJob {
  /** The channel. */
  channel: string;
  /** Its incarnation. */
  incarnation: string;
  /** The scheduler's id. */
  jobId: string;
  /** Which kind of executor submitted it: `slurm`, `local`. */
  executor: string;
  /** The relay, as seen from here. */
  relay: string;
  /** The script's name. */
  script: string;
  /** When, in milliseconds since 1970. */
  submitted: number;
  /** The channel's tokens. */
  tokens: ChannelTokens;
  /** The stream's key, where it is encrypted end to end. */
  key?: string;
  /** How it is, where that is not v2. */
  encryption?: "v1";
  /** The job's output file, where it is known. */
  output?: string;
  /** The job's error file, where it is another one and is known. */
  errors?: string;
  /** Whether nobody stayed to supervise it. */
  detached?: boolean;
  /** The folder of its spool, where it reaches no relay; on the machine of `via`, if there is one. */
  spool?: string;
  /** Files of the job that have to be removed at its end; on the machine of `via`, if there is one. */
  files?: string[];
  /** The machine that the scheduler's programs run on, where that is not this one. */
  via?: Via;
  /** What else leads to its scheduler again. */
  whereabouts?: Whereabouts;
}

const FOLDER = "jobs";

/** Milliseconds after which a job is forgotten. */
const KEPT = 30 * 86_400_000;

/**
 * Remembers a job.
 *
 * @param job The job.
 * @example
 * ```ts
 * import { findJobRecord, type SubmittedJob, writeJobRecord } from "./job_record.ts";
 * import { assertEquals } from "@std/assert";
 *
 * Deno.env.set("STREAMRELAY_STATE", await Deno.makeTempDir());
 * const job: SubmittedJob = {
 *   channel: "c1",
 *   incarnation: "i1",
 *   jobId: "4711",
 *   executor: "slurm",
 *   relay: "ws://127.0.0.1:8765",
 *   script: "infer.sh",
 *   submitted: Date.now(),
 *   tokens: { produce: "…", consume: "…", supervise: "…", cancel: "…" },
 * };
 * await writeJobRecord(job);
 * assertEquals((await findJobRecord("4711"))?.channel, "c1");
 * ```
 */
export async function writeJobRecord(job: SubmittedJob): Promise<void> {
  const path = `${await stateFolder(FOLDER)}/${job.channel}.json`;
  await writePrivate(path, JSON.stringify(job) + "\n");
}

/**
 * Forgets a job, whether it was known or not.
 *
 * @param channel Its channel.
 * @example
 * ```ts
 * import { listJobRecords, removeJobRecord } from "./job_record.ts";
 *
 * Deno.env.set("STREAMRELAY_STATE", await Deno.makeTempDir());
 * for (const { channel } of await listJobRecords()) await removeJobRecord(channel);
 * ```
 */
export async function removeJobRecord(channel: string): Promise<void> {
  try {
    await Deno.remove(await pathOf(channel));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * Looks a job up.
 *
 * @param id Its channel, or the scheduler's id.
 * @returns The job; `undefined` where none is known by that name.
 * @example
 * ```ts
 * import { findJobRecord } from "./job_record.ts";
 * import { assertEquals } from "@std/assert";
 *
 * Deno.env.set("STREAMRELAY_STATE", await Deno.makeTempDir());
 * assertEquals(await findJobRecord("4711"), undefined);
 * ```
 */
export async function findJobRecord(
  id: string,
): Promise<SubmittedJob | undefined> {
  if (isChannelId(id)) {
    const record = await readPrivate(await pathOf(id));
    if (isJobRecord(record)) return record;
  }
  return (await listJobRecords()).findLast((job) => job.jobId === id);
}

/**
 * All jobs that are remembered; those of more than 30 days ago are forgotten.
 *
 * @returns The jobs, in the order they were submitted in.
 * @example
 * ```ts
 * import { listJobRecords } from "./job_record.ts";
 * import { assertEquals } from "@std/assert";
 *
 * Deno.env.set("STREAMRELAY_STATE", await Deno.makeTempDir());
 * assertEquals(await listJobRecords(), []);
 * ```
 */
export async function listJobRecords(): Promise<SubmittedJob[]> {
  const folder = await stateFolder(FOLDER);
  const jobs: SubmittedJob[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".json")) continue;
    const record = await readPrivate(`${folder}/${name}`);
    if (!isJobRecord(record)) continue;
    if (record.submitted > Date.now() - KEPT) jobs.push(record);
    else await removeJobRecord(record.channel);
  }
  return jobs.sort((a, b) => a.submitted - b.submitted);
}

async function pathOf(channel: string): Promise<string> {
  if (!isChannelId(channel)) {
    throw new StreamError(
      "bad_request",
      `Cannot look up job of channel ${JSON.stringify(channel)}: it is no channel id`,
    );
  }
  return `${await stateFolder(FOLDER)}/${channel}.json`;
}

function isJobRecord(value: unknown): value is SubmittedJob {
  const job = value as Partial<SubmittedJob> | undefined;
  return typeof job?.channel === "string" && typeof job.relay === "string" &&
    typeof job.submitted === "number" && typeof job.tokens === "object";
}
