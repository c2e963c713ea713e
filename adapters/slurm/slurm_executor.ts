/**
 * Runs scripts as batch jobs of Slurm.
 *
 * @module
 */
import type { DirectivePrefix } from "../directives.ts";
import { Executor } from "../executor.ts";
import type { ExecutorConfig } from "../executor_config.ts";
import type { JobArrays } from "../arrays/job_arrays.ts";
import type { JobReport, JobWatch, ReportListener } from "../job/job_report.ts";
import { type JobFiles, localFiles, remoteFiles } from "../job/job_files.ts";
import { type Whereabouts, whereabouts } from "../whereabouts.ts";
import type { ProgramRunner } from "../program_runner.ts";
import type { ProgramOutcome, RunProgramOptions } from "../run_program.ts";
import type { Submission, Submitted } from "../scheduler.ts";
import { failure, refusal } from "../scheduler_words.ts";
import type { ScriptSource } from "../script_source.ts";
import { refuseOther, type Via } from "../ssh/ssh_options.ts";
import type { TaskArray } from "../arrays/task_array.ts";
import { programRunner } from "../ssh/ssh_programs.ts";
import { DEFAULT_TIMINGS } from "../timings.ts";
import { slurmArrays } from "./slurm_array.ts";
import { slurmOutput } from "./slurm_output.ts";
import { sbatchArguments, type SlurmOptions } from "./slurm_options.ts";
import { SlurmQuestions } from "./slurm_questions.ts";
import { rankSetup } from "./slurm_ranks.ts";

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
const QUESTION_VARIABLES = /^(SQUEUE|SINFO|SACCT|SLURM_TIME_FORMAT)/;

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

  /** The same programs, and the same cluster. */
  protected override whereabouts({ bin }: SlurmConfig): Whereabouts | undefined {
    return whereabouts({ bin, via: this.via }, ["SLURM_CONF"]);
  }

  /** The files of jobs are where it submits. */
  protected override get files(): JobFiles {
    return this.via ? remoteFiles(this.#programs) : localFiles;
  }

  /** Runs programs where it submits. */
  protected override get programs(): ProgramRunner {
    return this.#programs;
  }

  /** Refuses options that can't be. */
  protected override async check(
    script: ScriptSource,
    config: SlurmConfig,
    array?: TaskArray,
  ): Promise<void> {
    refuseOther("via", this.config.via, config.via);
    sbatchArguments(config, script, array);
    await this.#programs.require(this.#path("sbatch"));
  }

  /** Arrays of jobs. */
  protected override get arrays(): JobArrays<SlurmConfig> {
    return slurmArrays(this.#folder);
  }

  /** What `srun` does in the job. */
  protected override setup({ ranks }: SlurmConfig): string[] {
    return rankSetup(ranks);
  }

  /** Asks where the nodes are. */
  protected override async nodes(): Promise<string[]> {
    const { code, stdout, stderr } = await this.#run("sinfo", [
      "-h",
      "-N",
      "-o",
      "%o",
    ]);
    if (code !== 0) throw refusal("sinfo", stderr);
    return stdout.split("\n").map((line) => line.trim()).filter(Boolean);
  }

  /** Whether the site keeps scripts or environments where others may read them. */
  protected override archivesScripts(): Promise<boolean> {
    return this.#questions.site(this.#run).then((site) => site.archivesScripts);
  }

  /** Hands the script to `sbatch`, on its standard input. */
  protected override async submitJob(
    { jobScript, script, config, array }: Submission<SlurmConfig>,
  ): Promise<Submitted> {
    const { args, notice } = sbatchArguments(config, script, array);
    const chdir = config.workdir === undefined ? [] : [`--chdir=${config.workdir}`];
    const { code, stdout, stderr } = await this.#run(
      "sbatch",
      ["--parsable", ...args, ...chdir],
      { stdin: jobScript },
    );
    // "--parsable" prints the id, and the cluster behind a semicolon
    const jobId = stdout.trim().split("\n").at(-1)?.split(";")[0] ?? "";
    if (code !== 0 || !/^\d+$/.test(jobId)) {
      throw refusal("sbatch", stderr || stdout.trim());
    }
    const output = slurmOutput(jobId, config, script.directives, this.#folder);
    const errors = slurmOutput(jobId, config, script.directives, this.#folder, "error");
    return {
      jobId,
      ...(notice && { notice }),
      ...(output && { output }),
      ...(errors && { errors }),
    };
  }

  /** Tells where jobs are. */
  protected override async states(
    jobIds: readonly string[],
    urgent = true,
  ): Promise<Map<string, JobReport>> {
    const pace = { ...DEFAULT_TIMINGS, ...this.config.timings };
    return await this.#questions.states(this.#run, jobIds, { ...pace, urgent });
  }

  /** By polls, and by what the site has Slurm start over. */
  protected override watch(jobId: string, listener: ReportListener, config: SlurmConfig): JobWatch {
    const startsOver = async (exitCode: number) => {
      const site = await this.#questions.site(this.#run).catch(() => undefined);
      return site?.requeued.some(([from, to]) => from <= exitCode && exitCode <= to) ?? false;
    };
    return { ...super.watch(jobId, listener, config), startsOver };
  }

  /** Ends a job. */
  protected override async cancelJob(jobId: string): Promise<void> {
    const { code, stderr } = await this.#run("scancel", [jobId]);
    if (code !== 0) {
      throw failure("scancel", stderr);
    }
  }

  /** Where jobs are submitted from; what a login shell starts in is the home folder. */
  get #folder(): string {
    return this.via ? "" : Deno.cwd();
  }

  #path(program: string): string {
    const { bin } = this.config;
    return bin ? `${bin}/${program}` : program;
  }

  get #questions(): SlurmQuestions {
    return SlurmQuestions.of(this.cluster);
  }

  #run = async (
    program: string,
    args: string[],
    options: RunProgramOptions = {},
  ): Promise<ProgramOutcome> =>
    await this.#programs.run(this.#path(program), args, {
      unset: program === "sbatch" || program === "scancel" ? undefined : QUESTION_VARIABLES,
      ...options,
    });
}
