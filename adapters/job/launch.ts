/**
 * Turns a script and an input into a channel and a submission.
 *
 * @module
 */
import { generateKey } from "../../stream/encryption.ts";
import { sealInput } from "../../stream/sealed_input.ts";
import { StreamError } from "../../stream/stream_error.ts";
import type { OnDisconnect } from "../../stream/v2_control.ts";
import type { ExecutorConfig, StreamEncryption } from "../executor_config.ts";
import { type Input, inputBytes } from "../input_bytes.ts";
import { localPrograms, type ProgramRunner } from "../program_runner.ts";
import { checkSpoolFolder, makeSpool } from "../spool/spool_folder.ts";
import { stateFolder } from "../state_folder.ts";
import type { Scheduler, Submission, Submitted } from "../scheduler.ts";
import type { ScriptSource } from "../script_source.ts";
import { jobCredentials } from "./credentials.ts";
import type { JobPlace } from "./job_places.ts";
import { buildJobScript, type JobScriptSpec } from "./job_script.ts";
import { prepareChannel, type PreparedChannel } from "./prepare_channel.ts";
import type { SubmittedJob } from "./job_record.ts";

/** What is wanted. */
export interface Launch<C extends ExecutorConfig = ExecutorConfig> {
  /** What the job gets on its standard input. */
  input?: Input;
  /** Arguments of the program. */
  args: string[];
  /** The configuration, with the call's own options in it. */
  config: C;
}

/** A job that can be submitted. */
export interface PreparedJob<C extends ExecutorConfig = ExecutorConfig> extends PreparedChannel {
  /** What goes to the scheduler. */
  submission: Submission<C>;
  /** Files to remove at the end. */
  files: string[];
  /** Its place among the jobs that the site allows. */
  place: JobPlace;
}

/**
 * Prepares a job: checks what can be checked, finds the relay, makes the channel, builds the script.
 *
 * @param scheduler Where it will be submitted.
 * @param launch What is wanted.
 * @param supervision The lease, and what becomes of the job when its supervisor goes away.
 * @returns The job, ready to be submitted.
 * @throws {StreamError} For whatever stands in the way, before anything is submitted.
 */
export async function prepareJob<C extends ExecutorConfig>(
  scheduler: Scheduler<C>,
  launch: Launch<C>,
  supervision: { lease: number; onDisconnect: OnDisconnect },
): Promise<PreparedJob<C>> {
  const { config } = launch;
  const script = await scheduler.readScript(config);
  assertTexts(config);
  assertCanEncrypt(config);
  const programs = spoolPrograms(scheduler, config);
  await scheduler.check(script, config);
  const place = await scheduler.admit(encryptionOf(config));
  try {
    const prepared = await openChannel(scheduler, launch, script, supervision, programs);
    await place.holds(prepared);
    return { ...prepared, place };
  } catch (error) {
    await place.leave(false);
    throw error;
  }
}

async function openChannel<C extends ExecutorConfig>(
  scheduler: Scheduler<C>,
  launch: Launch<C>,
  script: ScriptSource,
  supervision: { lease: number; onDisconnect: OnDisconnect },
  programs: ProgramRunner | undefined,
): Promise<Omit<PreparedJob<C>, "place">> {
  const { config } = launch;
  const input = launch.input === undefined ? undefined : await inputBytes(launch.input);
  const kind = config.credentials ??
    (await scheduler.archivesScripts(config) ? "file" : "script");
  const relay = await scheduler.relay(config);
  const key = streamKey(config);
  const prepared = await prepareChannel(relay, {
    key,
    ...weaker(config),
    ...(!programs && { input }),
    ...supervision,
  });
  const { channel, tokens } = prepared;
  const spool = programs && await makeSpool(programs, channel, {
    folder: config.spoolFolder ??
      (programs === localPrograms ? await stateFolder("spool") : undefined),
    input: input && key !== undefined ? await sealInput(key, channel, input) : input,
  });
  const credentials = await jobCredentials(
    // without a relay there is nobody to show a token to
    spool && key === undefined ? "script" : kind,
    spool ? "" : tokens.produce,
    channel,
    config.credentialsFolder,
    scheduler.files,
    key,
  );
  const way = {
    relayUrl: spool ? "" : relay.jobUrl,
    channel,
    credentials,
    hasInput: input !== undefined,
  };
  return {
    ...prepared,
    spool,
    submission: {
      ...way,
      jobScript: jobScriptOf(scheduler, launch, { ...way, script, spool }),
      script,
      config,
    },
    files: [
      ...(credentials.kind === "file" ? [credentials.path] : []),
      ...(spool ? [spool] : []),
    ],
  };
}

/**
 * The script to submit.
 *
 * @param scheduler Where it will be submitted.
 * @param launch Arguments and configuration.
 * @param job The user's script, and how the job finds its channel.
 * @returns The script's text.
 * @throws {StreamError} `bad_request` for values that no script can hold.
 */
export function jobScriptOf<C extends ExecutorConfig>(
  scheduler: Pick<Scheduler<C>, "setup">,
  { args, config }: Pick<Launch<C>, "args" | "config">,
  { script, ...job }:
    & { script: ScriptSource }
    & Pick<
      JobScriptSpec,
      "relayUrl" | "spool" | "channel" | "array" | "credentials" | "hasInput"
    >,
): string {
  return buildJobScript({
    ...job,
    directives: script.directives ?? [],
    program: script.program,
    args,
    setup: [...scheduler.setup(config), ...config.setup ?? []],
    workdir: config.workdir,
    env: config.env,
    producer: config.producer,
    timings: config.jobTimings,
    ...weaker(config),
  });
}

/**
 * What is remembered of a job.
 *
 * @param scheduler Where it runs.
 * @param prepared Its channel.
 * @param submitted What the scheduler answered.
 * @returns The record.
 */
export function recordOf<C extends ExecutorConfig>(
  scheduler: Scheduler<C>,
  prepared: PreparedJob<C>,
  submitted: Submitted,
): SubmittedJob {
  const { channel, incarnation, tokens, relay, files, submission, key, encryption, spool } =
    prepared;
  const whereabouts = scheduler.whereabouts(submission.config);
  return {
    channel,
    incarnation,
    jobId: submitted.jobId,
    executor: scheduler.kind,
    relay,
    script: submission.script.name,
    submitted: Date.now(),
    tokens,
    ...(key !== undefined && { key }),
    ...(encryption && { encryption }),
    ...(submitted.output && { output: submitted.output }),
    ...(submitted.errors && { errors: submitted.errors }),
    ...(files.length > 0 && { files }),
    ...(spool !== undefined && { spool }),
    ...(scheduler.via && { via: scheduler.via }),
    ...(whereabouts && { whereabouts }),
  };
}

/** Whether a job's stream is encrypted. */
export function encryptionOf({ encryption, producer }: ExecutorConfig): StreamEncryption {
  return encryption ?? (producer?.script ? "off" : "v2");
}

/** How it is, where that is not v2. */
function weaker(config: ExecutorConfig): { encryption?: "v1" } {
  return encryptionOf(config) === "v1" ? { encryption: "v1" } : {};
}

/** A fresh key for a stream: no long-lived one enters a job. */
function streamKey(config: ExecutorConfig): string | undefined {
  return encryptionOf(config) === "off" ? undefined : generateKey();
}

/** What makes the spool, where there can be one. */
function spoolPrograms<C extends ExecutorConfig>(
  { kind, programs }: Scheduler<C>,
  { transport, producer, spoolFolder }: C,
): ProgramRunner | undefined {
  if (transport !== "file") return undefined;
  if (producer?.script) {
    throw new StreamError(
      "bad_request",
      'Cannot use transport "file" with producer.script: a script that speaks to a relay needs one, expected transport "relay"',
    );
  }
  checkSpoolFolder(spoolFolder);
  if (programs) return programs;
  throw new StreamError(
    "unsupported",
    `Cannot use transport "file" with ${kind}: its files can't be read from here, expected transport "relay"`,
  );
}

/** Refuses names and paths that no system can take, whether this executor looks at them or not. */
export function assertTexts(config: ExecutorConfig): void {
  for (const name of ["name", "output", "error", "workdir"] as const) {
    if (!config[name]?.includes("\0")) continue;
    throw new StreamError(
      "bad_request",
      `Cannot use option ${name}: it holds a NUL character, expected a text without`,
    );
  }
}

/** Refuses producers that can't do what is wanted. */
export function assertCanEncrypt(config: ExecutorConfig): void {
  const { use, path, script } = config.producer ?? {};
  const encryption = encryptionOf(config);
  if (encryption === "v1" && !script) {
    throw new StreamError(
      "bad_request",
      `Cannot encrypt as v1: only a program that speaks to the relay itself does, expected producer.script or a Python function, or encryption: "v2"`,
    );
  }
  if (encryption === "off" || path !== undefined || script) return;
  if (use === undefined || use.some((kind) => kind !== "curl")) return;
  throw new StreamError(
    "bad_request",
    `Cannot encrypt: curl can't, expected deno, node or python3 in producer.use, or encryption: "off"`,
  );
}
