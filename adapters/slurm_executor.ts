/**
 * Runs scripts as batch jobs of Slurm.
 *
 * @module
 */
import type { DirectivePrefix } from "./directives.ts";
import { Executor } from "./executor.ts";
import type { ExecutorConfig } from "./executor_config.ts";
import type { JobReport } from "./job_report.ts";
import { type JobFiles, localFiles, remoteFiles } from "./job_files.ts";
import { nodeFacingAddress } from "./node_facing_address.ts";
import type { ProgramRunner } from "./program_runner.ts";
import type { ProgramOutcome } from "./run_program.ts";
import type { Submission, Submitted } from "./scheduler.ts";
import { failure, refusal } from "./scheduler_words.ts";
import type { ScriptSource } from "./script_source.ts";
import { slurmOutput } from "./slurm_output.ts";
import { refuseOther, type Via } from "./ssh_options.ts";
import { programRunner, relayBehind } from "./ssh_programs.ts";
import { sbatchArguments, type SlurmOptions } from "./slurm_options.ts";
import { parsePartitionsDown, parseSqueue, SQUEUE_FORMAT } from "./slurm_states.ts";

/** Configuration of a {@linkcode SlurmExecutor}. */
export interface SlurmConfig extends ExecutorConfig, SlurmOptions {
  /** The job's name; the script's file name unless given here or in the script. */
  name?: string;
  /** The job's output file; `slurm-%j.out` in `workdir` unless given. */
  output?: string;
  /** The job's error file; the output file unless given. */
  error?: string;
  /** Folder of `sbatch`, `squeue` and `scancel`; they are looked for on `PATH` without it. */
  bin?: string;
  /** The login node to submit on, over ssh; this machine by default. Nothing has to be installed there. */
  via?: Via;
}

/** What the site's own variables would change about questions. */
const QUESTION_VARIABLES = /^(SQUEUE|SINFO|SLURM_TIME_FORMAT)/;

const archives = new Map<string, Promise<boolean>>();

/**
 * Runs scripts as batch jobs of Slurm, and gives what they print while they print it. The script's own
 * `#SBATCH` lines are honoured; options given here win.
 *
 * @example
 * ```ts ignore
 * import { SlurmExecutor } from "@streamrelay/cli/adapters";
 *
 * const slurm = new SlurmExecutor({ partition: "gpu", gres: "gpu:1", time: 30 });
 * for await (const token of slurm.stream("infer.sh", "What is a tide?")) {
 *   await Deno.stdout.write(new TextEncoder().encode(token));
 * }
 * ```
 */
export class SlurmExecutor extends Executor<SlurmConfig> {
  /** What its jobs are called in records. */
  override readonly kind = "slurm";
  #programs: ProgramRunner;

  /**
   * Makes an executor; nothing is asked or started yet.
   *
   * @param config Relay, resources, set-up; everything has a default.
   * @throws {StreamError} `bad_request` for an option that can't be.
   */
  constructor(config: SlurmConfig = {}) {
    super(config);
    this.#programs = programRunner(config.via);
    sbatchArguments(config, { directives: [], name: "streamrelay" });
  }

  /** `#SBATCH` lines are honoured. */
  protected override get directivePrefix(): DirectivePrefix {
    return "#SBATCH";
  }

  /** The programs and the configuration tell clusters apart. */
  protected override get cluster(): string {
    const { bin = "", via } = this.config;
    const place = via ? JSON.stringify(via) : Deno.env.get("SLURM_CONF") ?? "";
    return `slurm ${bin} ${place}`;
  }

  /** Where it submits. */
  protected override get via(): Via | undefined {
    return this.config.via;
  }

  /** The files of jobs are where it submits. */
  protected override get files(): JobFiles {
    return this.via ? remoteFiles(this.#programs) : localFiles;
  }

  /** Refuses options that can't be. */
  protected override async check(
    script: ScriptSource,
    config: SlurmConfig,
  ): Promise<void> {
    refuseOther("via", this.config.via, config.via);
    sbatchArguments(config, script);
    await this.#programs.require(this.#path("sbatch"));
  }

  /** Asks once where the nodes are. */
  protected override async nodeFacing(config: SlurmConfig): Promise<string> {
    if (this.via) throw relayBehind(this.via);
    const { code, stdout, stderr } = await this.#run("sinfo", [
      "-h",
      "-N",
      "-o",
      "%o",
    ]);
    if (code !== 0) throw refusal("sinfo", stderr);
    return await nodeFacingAddress(
      stdout.split("\n").map((line) => line.trim()).filter(Boolean),
      config.embedded?.interface,
    );
  }

  /** Whether `AccountingStoreFlags` keeps scripts or environments. */
  protected override archivesScripts(): Promise<boolean> {
    let known = archives.get(this.cluster);
    if (!known) {
      known = this.#askArchives();
      archives.set(this.cluster, known);
      known.catch(() => archives.delete(this.cluster));
    }
    return known;
  }

  /** Hands the script to `sbatch`, on its standard input. */
  protected override async submitJob(
    { jobScript, script, config }: Submission<SlurmConfig>,
  ): Promise<Submitted> {
    const { args, notice } = sbatchArguments(config, script);
    const chdir = config.workdir === undefined ? [] : [`--chdir=${config.workdir}`];
    const { code, stdout, stderr } = await this.#run(
      "sbatch",
      ["--parsable", ...args, ...chdir],
      jobScript,
    );
    // "--parsable" prints the id, and the cluster behind a semicolon
    const jobId = stdout.trim().split("\n").at(-1)?.split(";")[0] ?? "";
    if (code !== 0 || !/^\d+$/.test(jobId)) {
      throw refusal("sbatch", stderr || stdout.trim());
    }
    const output = slurmOutput(
      jobId,
      config,
      script.directives,
      // what a login shell starts in is the home folder
      this.via ? "" : Deno.cwd(),
    );
    return { jobId, ...(notice && { notice }), ...(output && { output }) };
  }

  /** Tells where jobs are. */
  protected override async states(
    jobIds: readonly string[],
  ): Promise<Map<string, JobReport>> {
    const { code, stdout, stderr } = await this.#run("squeue", [
      "-h",
      "-t",
      "all",
      "-j",
      jobIds.join(","),
      "-O",
      SQUEUE_FORMAT,
    ]);
    if (code !== 0) {
      // a single id that is unknown is an error, one of several is just left out
      if (/invalid job id/i.test(stderr)) return new Map();
      throw failure("squeue", stderr);
    }
    const reports = parseSqueue(stdout);
    const never = [...reports.values()].filter((job) => job.neverStartable);
    if (never.length > 0) {
      const down = await this.#partitionsDown();
      for (const job of never) {
        job.neverStartable = down !== undefined &&
          job.partitions.some((name) => !down.has(name));
      }
    }
    return reports;
  }

  /** Ends a job. */
  protected override async cancelJob(jobId: string): Promise<void> {
    const { code, stderr } = await this.#run("scancel", [jobId]);
    if (code !== 0) {
      throw failure("scancel", stderr);
    }
  }

  #path(program: string): string {
    const { bin } = this.config;
    return bin ? `${bin}/${program}` : program;
  }

  /**
   * `undefined` where the question failed, which is no reason to give a job up. Where it is forbidden
   * (`PrivateData`) Slurm's reason stands alone: it is another one for a partition that is down.
   */
  async #partitionsDown(): Promise<Set<string> | undefined> {
    const { code, stdout, stderr } = await this.#run("sinfo", [
      "-h",
      "-o",
      "%R|%a",
    ]);
    if (code === 0) return parsePartitionsDown(stdout);
    return /denied/i.test(stderr) ? new Set() : undefined;
  }

  async #askArchives(): Promise<boolean> {
    const { stdout } = await this.#run("scontrol", ["show", "config"]);
    return /^AccountingStoreFlags\s*=.*job_(script|env)/im.test(stdout);
  }

  async #run(
    program: string,
    args: string[],
    stdin?: string,
  ): Promise<ProgramOutcome> {
    return await this.#programs.run(this.#path(program), args, {
      stdin,
      unset: program === "squeue" || program === "sinfo" ? QUESTION_VARIABLES : undefined,
    });
  }
}
