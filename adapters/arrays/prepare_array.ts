/**
 * Turns a script and its inputs into the channels of a job array and one submission.
 *
 * @module
 */
import { ControlClient } from "../../client/mod.ts";
import type { CreatedArray } from "../../client/control_types.ts";
import { generateKey } from "../../stream/encryption.ts";
import { sealInput } from "../../stream/sealed_input.ts";
import { taskKey } from "../../stream/task_key.ts";
import { StreamError } from "../../stream/stream_error.ts";
import type { OnDisconnect } from "../../stream/v2_control.ts";
import { jobCredentials } from "../job/credentials.ts";
import type { ExecutorConfig } from "../executor_config.ts";
import { type Input, inputBytes } from "../input_bytes.ts";
import type { JobPlace } from "../job/job_places.ts";
import {
  assertCanEncrypt,
  assertTexts,
  encryptionOf,
  jobScriptOf,
  type PreparedJob,
} from "../job/launch.ts";
import type { ResolvedRelay } from "../relay/relay_for.ts";
import type { Scheduler } from "../scheduler.ts";
import type { ScriptSource } from "../script_source.ts";
import type { TaskArray } from "./task_array.ts";

/** The input of every task, or what gives each its own. */
export type TaskInput = Input | ((task: number) => Input | undefined);

/** What is wanted of an array. */
export interface ArrayWish<C extends ExecutorConfig = ExecutorConfig> {
  /** The user's script. */
  script: ScriptSource;
  /** Its tasks. */
  array: TaskArray;
  /** What they get on their standard input. */
  input?: TaskInput;
  /** Arguments of the program. */
  args: string[];
  /** The configuration, with the call's own options in it. */
  config: C;
}

/** An array that can be submitted. */
export interface PreparedArray<C extends ExecutorConfig = ExecutorConfig> {
  /** A job for each task; they share the submission. */
  jobs: Map<number, PreparedJob<C>>;
  /** Files to remove once all of them have ended. */
  files: string[];
}

/** How many requests to the relay are under way at a time. */
const AT_ONCE = 16;

/**
 * Prepares an array: checks what can be checked, finds the relay, makes the channels, builds the script.
 *
 * @param scheduler Where it will be submitted.
 * @param wish What is wanted.
 * @param supervision The lease, and what becomes of the tasks when their supervisor goes away.
 * @returns The array, ready to be submitted.
 * @throws {StreamError} For whatever stands in the way, before anything is submitted.
 */
export async function prepareArray<C extends ExecutorConfig>(
  scheduler: Scheduler<C>,
  wish: ArrayWish<C>,
  supervision: { lease: number; onDisconnect: OnDisconnect },
): Promise<PreparedArray<C>> {
  const { config, script, array } = wish;
  assertTexts(config);
  assertCanEncrypt(config);
  if (config.transport === "file") {
    throw new StreamError(
      "unsupported",
      'Cannot use transport "file" with an array: its tasks need a relay, expected transport "relay", or stream() for each task',
    );
  }
  if (encryptionOf(config) === "v1") {
    throw new StreamError(
      "unsupported",
      "Cannot use encryption v1 with an array: the Python package has one key a stream, expected v2, or stream() for each task",
    );
  }
  await scheduler.check(script, config, array);
  const places: JobPlace[] = [];
  try {
    // one after the other: each is counted among the others
    for (const _ of array.tasks) places.push(await scheduler.admit(encryptionOf(config)));
    const prepared = await openChannels(scheduler, wish, places, supervision);
    for (const job of prepared.jobs.values()) await job.place.holds(job);
    return prepared;
  } catch (error) {
    for (const place of places) await place.leave(false);
    throw error;
  }
}

async function openChannels<C extends ExecutorConfig>(
  scheduler: Scheduler<C>,
  wish: ArrayWish<C>,
  places: JobPlace[],
  supervision: { lease: number; onDisconnect: OnDisconnect },
): Promise<PreparedArray<C>> {
  const { config, script, array } = wish;
  const inputs = await inputsOf(wish);
  const kind = config.credentials ??
    (await scheduler.archivesScripts(config) ? "file" : "script");
  const relay = await scheduler.relay(config);
  const key = encryptionOf(config) === "off" ? undefined : generateKey();
  const { url, token = "" } = relay;
  const { id, channels } = await new ControlClient({ url, token }).createArray({
    tasks: array.tasks,
    keyed: key !== undefined,
    ...supervision,
  });
  try {
    const keys = await Promise.all(
      array.tasks.map((task) => key === undefined ? undefined : taskKey(key, id, task)),
    );
    await putInputs(relay, channels, keys, inputs);
    const credentials = await jobCredentials(
      kind,
      channels[0].tokens.produce,
      id,
      config.credentialsFolder,
      scheduler.files,
      key,
    );
    const way = {
      relayUrl: relay.jobUrl,
      channel: id,
      credentials,
      hasInput: inputs.some((input) => input !== undefined),
    };
    const jobScript = jobScriptOf(scheduler, wish, { ...way, script, array: true });
    const submission = { ...way, jobScript, script, config, array };
    const jobs = channels.map(({ task, id, incarnation, tokens }, i) =>
      [task, {
        channel: id,
        incarnation,
        tokens,
        relay: url,
        lost: relay.lost,
        ...(keys[i] !== undefined && { key: keys[i] }),
        submission,
        files: [],
        place: places[i],
      }] as [number, PreparedJob<C>]
    );
    return {
      jobs: new Map(jobs),
      files: credentials.kind === "file" ? [credentials.path] : [],
    };
  } catch (error) {
    const control = new ControlClient({ url, token });
    await inGroups(channels, ({ id }) => control.delete(id).catch(() => {}));
    throw error;
  }
}

/** Each task's own, or the same for all; a stream of bytes is read once. */
async function inputsOf<C extends ExecutorConfig>(
  { input, array: { tasks } }: ArrayWish<C>,
): Promise<(Uint8Array<ArrayBuffer> | undefined)[]> {
  if (typeof input === "function") {
    const given = tasks.map((task) => input(task));
    // a job finds out by its script whether there is one to wait for
    const some = given.some((one) => one !== undefined);
    const bytes = [];
    for (const one of given) bytes.push(some ? await inputBytes(one ?? "") : undefined);
    return bytes;
  }
  const bytes = input === undefined ? undefined : await inputBytes(input);
  return tasks.map(() => bytes);
}

async function putInputs(
  { url }: ResolvedRelay,
  channels: CreatedArray["channels"],
  keys: (string | undefined)[],
  inputs: (Uint8Array<ArrayBuffer> | undefined)[],
): Promise<void> {
  await inGroups(channels, async ({ id, tokens }, i) => {
    const [input, key] = [inputs[i], keys[i]];
    if (input === undefined) return;
    const control = new ControlClient({ url, token: tokens.supervise });
    await control.putInput(id, key === undefined ? input : await sealInput(key, id, input));
  });
}

/** A few at a time: a relay has others to serve. */
async function inGroups<T>(
  all: readonly T[],
  task: (one: T, index: number) => Promise<void>,
): Promise<void> {
  for (let from = 0; from < all.length; from += AT_ONCE) {
    const group = all.slice(from, from + AT_ONCE);
    await Promise.all(group.map((one, i) => task(one, from + i)));
  }
}
