/**
 * Runs scripts as batch jobs of PBS: OpenPBS and PBS Professional.
 *
 * @module
 */
import type { DirectivePrefix } from "../directives.ts";
import { Executor } from "../executor.ts";
import type { ExecutorConfig } from "../executor_config.ts";
import { type JobFiles, localFiles, remoteFiles } from "../job/job_files.ts";
import type { JobReport } from "../job/job_report.ts";
import { type Whereabouts, whereabouts } from "../whereabouts.ts";
import type { ProgramRunner } from "../program_runner.ts";
import type { ProgramOutcome, RunProgramOptions } from "../run_program.ts";
import type { Submission, Submitted } from "../scheduler.ts";
import { failure, refusal } from "../scheduler_words.ts";
import type { ScriptSource } from "../script_source.ts";
import { refuseOther, type Via } from "../ssh/ssh_options.ts";
import { programRunner } from "../ssh/ssh_programs.ts";
import { type PbsOptions, qsubArguments } from "./pbs_options.ts";
import { pbsOutput } from "./pbs_output.ts";
import { parseQstat } from "./pbs_states.ts";

/** Configuration of a {@linkcode PbsExecutor}. */
export interface PbsConfig extends ExecutorConfig, PbsOptions {
  /** The job's name; the script's file name unless given here or in the script. */
  name?: string;
  /** The job's output file, written while it runs; `<name>.o<number>` in `workdir` unless given. */
  output?: string;
  /** The job's error file; the output file unless given. */
  error?: string;
  /** Folder of `qsub`, `qstat` and `qdel`; they are looked for on `PATH` without it. */
  bin?: string;
  /** The login node to submit on, over ssh; this machine by default. Nothing has to be installed there. */
  via?: Via;
}

/** What tells the programs which server is meant. */
const VARIABLES = ["PBS_CONF_FILE", "PBS_SERVER", "PBS_DEFAULT"];

/** Exit codes of `qstat` and `qdel`: the low byte of PBS's own errors. */
const UNKNOWN_JOB = 153;
const FINISHED_JOB = 35;
const NO_HISTORY = 36;

/** Servers that keep no history, so that finished jobs are forgotten at once. */
const forgetful = new Set<string>();

/**
 * Runs scripts as batch jobs of PBS, and gives what they print while they print it. The script's own
 * `#PBS` lines are honoured; options given here win.
 *
 * @example
 * ```ts ignore
 * import { PbsExecutor } from "@streamrelay/cli/adapters";
 *
 * const pbs = new PbsExecutor({ queue: "gpu", gpus: 1, cpus: 8, time: 30 });
 * for await (const token of pbs.stream("infer.sh", "What is a tide?")) {
 *   await Deno.stdout.write(new TextEncoder().encode(token));
 * }
 * ```
 */
export class PbsExecutor extends Executor<PbsConfig> {
  /** What its jobs are called in records. */
  override readonly kind = "pbs";
  #programs: ProgramRunner;

  /**
   * Makes an executor; nothing is asked or started yet.
   *
   * @param config Relay, resources, set-up; everything has a default.
   * @throws {StreamError} `bad_request` for an option that can't be.
   */
  constructor(config: PbsConfig = {}) {
    // PBS starts jobs in the home folder, other schedulers where they were submitted
    super({ ...config, workdir: config.workdir ?? (config.via ? undefined : Deno.cwd()) });
    this.#programs = programRunner(config.via);
    qsubArguments(config, { directives: [], name: "streamrelay" });
  }

  /** `#PBS` lines are honoured. */
  protected override get directivePrefix(): DirectivePrefix {
    return "#PBS";
  }

  /** The programs and the configuration tell servers apart. */
  protected override get cluster(): string {
    const { bin = "", via } = this.config;
    const place = via ? [JSON.stringify(via)] : VARIABLES.map((name) => Deno.env.get(name) ?? "");
    return ["pbs", bin, ...place].join(" ");
  }

  /** Where it submits. */
  protected override get via(): Via | undefined {
    return this.config.via;
  }

  /** The same programs, and the same cluster. */
  protected override whereabouts({ bin }: PbsConfig): Whereabouts | undefined {
    return whereabouts({ bin, via: this.via }, VARIABLES);
  }

  /** The files of jobs are where it submits. */
  protected override get files(): JobFiles {
    return this.via ? remoteFiles(this.#programs) : localFiles;
  }

  /** Runs programs where it submits. */
  protected override get programs(): ProgramRunner {
    return this.#programs;
  }

  /** Refuses options that can't be, and looks for the programs. */
  protected override async check(script: ScriptSource, config: PbsConfig): Promise<void> {
    refuseOther("via", this.config.via, config.via);
    qsubArguments(config, script);
    await this.#programs.require(this.#path("qsub"));
  }

  /** Asks where the nodes are. */
  protected override async nodes(): Promise<string[]> {
    const { code, stdout, stderr } = await this.#run("pbsnodes", ["-a"]);
    if (code !== 0) throw refusal("pbsnodes", stderr);
    return [...stdout.matchAll(/^\s+Mom = (\S+)/gm)].map(([, name]) => name);
  }

  /** Hands the script to `qsub`, on its standard input. */
  protected override async submitJob(
    { jobScript, script, config }: Submission<PbsConfig>,
  ): Promise<Submitted> {
    const { args, notice } = qsubArguments(config, script);
    const { code, stdout, stderr } = await this.#run("qsub", args, {
      stdin: jobScript,
      cwd: config.workdir,
      // another prefix than #PBS
      unset: /^PBS_DPREFIX$/,
    });
    const jobId = stdout.trim().split("\n").at(-1) ?? "";
    if (code !== 0 || !/^\d+(\.[\w.-]+)?$/.test(jobId)) {
      throw refusal("qsub", stderr || stdout.trim());
    }
    const output = pbsOutput(jobId, config, script, config.workdir ?? "");
    const errors = pbsOutput(jobId, config, script, config.workdir ?? "", "error");
    return {
      jobId,
      ...(notice && { notice }),
      ...(output && { output }),
      ...(errors && { errors }),
    };
  }

  /** Tells where jobs are: one by its id, several by asking about all, for qstat's JSON holds no choice. */
  protected override async states(jobIds: readonly string[]): Promise<Map<string, JobReport>> {
    const ids = jobIds.length === 1 ? jobIds : [];
    const history = forgetful.has(this.cluster) ? [] : ["-x"];
    const { code, stdout, stderr } = await this.#run("qstat", [
      ...history,
      "-f",
      "-F",
      "json",
      ...ids,
    ]);
    if (history.length > 0 && (code === NO_HISTORY || /job history/i.test(stderr))) {
      forgetful.add(this.cluster);
      return await this.states(jobIds);
    }
    if (ids.length > 0 && (code === UNKNOWN_JOB || code === FINISHED_JOB)) return new Map();
    if (code !== 0) throw failure("qstat", stderr);
    const all = parseQstat(stdout);
    const found = jobIds.map((id): [string, JobReport | undefined] => [
      id,
      all.get(id) ?? all.get(id.split(".")[0]),
    ]);
    return new Map(found.filter((pair): pair is [string, JobReport] => pair[1] !== undefined));
  }

  /** Ends a job. */
  protected override async cancelJob(jobId: string): Promise<void> {
    const { code, stderr } = await this.#run("qdel", [jobId]);
    if (code === 0 || code === UNKNOWN_JOB || code === FINISHED_JOB) return;
    throw failure("qdel", stderr);
  }

  #path(program: string): string {
    const { bin } = this.config;
    return bin ? `${bin}/${program}` : program;
  }

  #run(program: string, args: string[], options?: RunProgramOptions): Promise<ProgramOutcome> {
    return this.#programs.run(this.#path(program), args, options);
  }
}
