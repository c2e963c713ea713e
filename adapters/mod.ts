/**
 * Executors: they submit a script as a job, locally or to a scheduler, and give what it prints while it
 * prints it, as one {@linkcode TokenStream} that tells how the job ended.
 *
 * @example
 * ```ts ignore
 * import { SlurmExecutor } from "@streamrelay/cli/adapters";
 *
 * for await (const token of new SlurmExecutor().stream("infer.sh", "What is a tide?")) {
 *   await Deno.stdout.write(new TextEncoder().encode(token));
 * }
 * ```
 *
 * @module
 */
export { embeddedRelay, type EmbeddedRelayOptions } from "./relay/embedded_relay.ts";
export { Executor } from "./executor.ts";
export type {
  ArrayOptions,
  ExecutorConfig,
  Script,
  StreamEncryption,
  StreamOptions,
} from "./executor_config.ts";
export type { Input } from "./input_bytes.ts";
export {
  type ChannelTokens,
  findJobRecord,
  listJobRecords,
  removeJobRecord,
  type SubmittedJob,
  writeJobRecord,
} from "./job/job_record.ts";
export type { JobArrays } from "./arrays/job_arrays.ts";
export type { JobFiles } from "./job/job_files.ts";
export type { Whereabouts } from "./whereabouts.ts";
export type { JobFate, JobReport, JobWatch, ReportListener } from "./job/job_report.ts";
export type { JobCredentials, JobProducer, JobScriptSpec, JobTimings } from "./job/job_script.ts";
export { buildJobScript } from "./job/job_script.ts";
export * from "./globus/mod.ts";
export { type LocalConfig, LocalExecutor } from "./local/local_executor.ts";
export { type PbsConfig, PbsExecutor } from "./pbs/pbs_executor.ts";
export type { PbsOptions } from "./pbs/pbs_options.ts";
export type { TaskInput } from "./arrays/prepare_array.ts";
export type { ProducerKind } from "./packed_producers.ts";
export type { Machine, ProgramRunner } from "./program_runner.ts";
export {
  type RelayChoice,
  relayFor,
  type RelayForOptions,
  type ResolvedRelay,
} from "./relay/relay_for.ts";
export {
  findLocalRelay,
  type FindRelayOptions,
  type RelayRecord,
  removeRelayRecord,
  writeRelayRecord,
} from "./relay/relay_record.ts";
export type { ProgramOutcome, RunProgramOptions } from "./run_program.ts";
export type { Submission, Submitted } from "./scheduler.ts";
export type { ScriptSource } from "./script_source.ts";
export type { WantedRelay } from "./site_policy.ts";
export { type SlurmConfig, SlurmExecutor } from "./slurm/slurm_executor.ts";
export type { SlurmOptions } from "./slurm/slurm_options.ts";
export type { Ranks } from "./slurm/slurm_ranks.ts";
export { type SshConfig, SshExecutor } from "./ssh/ssh_executor.ts";
export type { SshOptions, Via } from "./ssh/ssh_options.ts";
export { stateFolder, statePath, stateSecret } from "./state_folder.ts";
export type { TaskArray } from "./arrays/task_array.ts";
export type { Timings } from "./timings.ts";
export type { DirectivePrefix } from "./directives.ts";
export type * from "../stream/error_code.ts";
export type * from "../stream/event.ts";
export type { SessionPoint } from "../stream/opening_session.ts";
export { StreamError, type StreamErrorOptions } from "../stream/stream_error.ts";
export type * from "../stream/token_source.ts";
export type * from "../stream/token_stream.ts";
export type { Actor, CancelAck, CancelRequest, OnDisconnect } from "../stream/v2_control.ts";
