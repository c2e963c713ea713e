/**
 * What a stream's run needs of its executor.
 *
 * @module
 */
import type { ExecutorConfig, StreamEncryption } from "./executor_config.ts";
import type { JobArrays } from "./arrays/job_arrays.ts";
import type { JobFiles } from "./job/job_files.ts";
import type { JobCredentials } from "./job/job_script.ts";
import type { JobPlace } from "./job/job_places.ts";
import type { JobWatch, ReportListener } from "./job/job_report.ts";
import type { ProgramRunner } from "./program_runner.ts";
import type { ResolvedRelay } from "./relay/relay_for.ts";
import type { ScriptSource } from "./script_source.ts";
import type { Via } from "./ssh/ssh_options.ts";
import type { TaskArray } from "./arrays/task_array.ts";
import type { Whereabouts } from "./whereabouts.ts";
import type { Timings } from "./timings.ts";

/** What is handed to a scheduler. */
export interface Submission<C extends ExecutorConfig = ExecutorConfig> {
  /** The generated script, for the submit command's standard input. It holds a token. */
  jobScript: string;
  /** The user's script. */
  script: ScriptSource;
  /** The configuration, with the call's own options in it. */
  config: C;
  /** The channel; of an array, what its channels begin with. */
  channel: string;
  /** The tasks, of an array. */
  array?: TaskArray;
  /** The relay, as the job reaches it; empty where it reaches none. */
  relayUrl: string;
  /** How the job gets the channel's token, and its stream's key. */
  credentials: JobCredentials;
  /** Whether the channel has an input for the job. */
  hasInput: boolean;
}

/** What a scheduler answers. */
export interface Submitted {
  /** Its id of the job. */
  jobId: string;
  /** What was decided for the user, in one sentence. */
  notice?: string;
  /** The job's output file, where it is known. */
  output?: string;
  /** The job's error file, where it is another one and is known. */
  errors?: string;
}

/** An executor, as a run of it sees it. */
export interface Scheduler<C extends ExecutorConfig = ExecutorConfig> {
  /** `slurm`, `local`, … */
  kind: string;
  /** The machine that the scheduler's programs run on, where that is not this one. */
  via?: Via;
  /** What else leads to it again. */
  whereabouts(config: C): Whereabouts | undefined;
  /** The files of jobs, where the scheduler's programs run. */
  files: JobFiles;
  /** Runs programs there; absent where nothing but the scheduler can be reached. */
  programs?: ProgramRunner;
  /** Finds the relay. */
  relay(config: C): Promise<ResolvedRelay>;
  /** Reads the user's script. */
  readScript(config: C): Promise<ScriptSource>;
  /** Whether scripts are archived, so that no token should be in one. */
  archivesScripts(config: C): Promise<boolean>;
  /** Refuses what can't be submitted, before anything is done. */
  check(script: ScriptSource, config: C, array?: TaskArray): Promise<void>;
  /** Submits. */
  submitJob(submission: Submission<C>): Promise<Submitted>;
  /** Watches a job. */
  watch(jobId: string, listener: ReportListener, config: C): JobWatch;
  /** Cancels a job. */
  cancelJob(jobId: string): Promise<void>;
  /** The end of a job's output file. */
  output(jobId: string, path: string | undefined): Promise<string | undefined>;
  /** Takes places for so many jobs, all or none; returns what gives each back. */
  enter(config: C, jobs: number): (() => void)[];
  /** Lines that run before the user's own set-up. */
  setup(config: C): string[];
  /** Job arrays, where the scheduler has them. */
  arrays?: JobArrays<C>;
  /** Refuses what the site does not allow, and takes a place among the jobs that it does. */
  admit(encryption: StreamEncryption): Promise<JobPlace>;
  /** The intervals, none shorter than the site allows. */
  timings(config: C): Promise<Required<Timings>>;
  /** Whether a job lives no longer than who reads it. */
  attended: boolean;
}
