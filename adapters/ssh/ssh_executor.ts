/**
 * Runs scripts on a machine without a scheduler, over ssh.
 *
 * @module
 */
import { StreamError } from "../../stream/stream_error.ts";
import { Executor } from "../executor.ts";
import type { ExecutorConfig, Script, StreamOptions } from "../executor_config.ts";
import type { Input } from "../input_bytes.ts";
import { type JobFiles, remoteFiles } from "../job/job_files.ts";
import type { SubmittedJob } from "../job/job_record.ts";
import type { JobFate, JobReport, JobWatch, ReportListener } from "../job/job_report.ts";
import type { ProgramRunner } from "../program_runner.ts";
import type { ResolvedRelay } from "../relay/relay_for.ts";
import { isLoopback } from "../relay/relay_record.ts";
import type { Submission, Submitted } from "../scheduler.ts";
import type { ScriptSource } from "../script_source.ts";
import { watchProcess } from "../watch_process.ts";
import { SshConnection } from "./ssh_connection.ts";
import { type SshJob, type SshJobEnd, startSshJob } from "./ssh_job.ts";
import { refuseOther, type SshOptions } from "./ssh_options.ts";
import { SshPrograms } from "./ssh_programs.ts";

/**
 * Configuration of an {@linkcode SshExecutor}. A relay on this machine's loopback, such as the embedded
 * one, is led to the host through the same connection; `relay.jobUrl` names another way.
 */
export interface SshConfig extends ExecutorConfig, Omit<SshOptions, "config"> {
  /** The ssh configuration file, where it is not the user's and the system's. */
  sshConfig?: string;
  /** The job's output file on the host, within `workdir` unless absolute; none by default. */
  output?: string;
  /** The job's error file there; the output file by default. */
  error?: string;
  /**
   * Milliseconds that a cancelled job has between SIGTERM and SIGKILL.
   *
   * @default {5_000}
   */
  killAfter?: number;
}

/**
 * Runs scripts on another machine: the same job script, the same stream and the same ends as on a
 * cluster. A job lives no longer than who reads it: when this process or the connection goes, the job is
 * ended.
 *
 * @example
 * ```ts ignore
 * import { SshExecutor } from "@streamrelay/cli/adapters";
 *
 * const ssh = new SshExecutor({ host: "gpu-box" });
 * for await (const token of ssh.stream("infer.sh", "What is a tide?")) {
 *   await Deno.stdout.write(new TextEncoder().encode(token));
 * }
 * ```
 */
export class SshExecutor extends Executor<SshConfig> {
  /** What its jobs are called in records. */
  override readonly kind = "ssh";
  /** An ssh job ends with who reads it. */
  protected override readonly attended = true;
  #connection: SshConnection;
  #programs: SshPrograms;
  #files: JobFiles;
  #jobs = new Map<string, SshJob>();
  #notices = new WeakMap<SshConfig, string>();

  /**
   * Makes an executor; nothing is started yet.
   *
   * @param config The host; everything else has a default.
   * @throws {StreamError} `bad_request` for an option that can't be.
   */
  constructor(config: SshConfig) {
    super(config);
    const { host, sshConfig, program, interactive, persist, connectTimeout } = config;
    this.#connection = SshConnection.to({
      host,
      config: sshConfig,
      program,
      interactive,
      persist,
      connectTimeout,
    });
    this.#programs = new SshPrograms(this.#connection);
    this.#files = remoteFiles(this.#programs);
    checkFiles(config);
  }

  /**
   * Refuses: a job that nobody stays for would end at once.
   *
   * @param _script Is not run.
   * @param _input Is not sent.
   * @param _options Are not used.
   * @throws {StreamError} `unsupported`, always.
   */
  override submit(
    _script: Script,
    _input?: Input,
    _options?: StreamOptions<SshConfig>,
  ): Promise<SubmittedJob> {
    return Promise.reject(
      new StreamError(
        "unsupported",
        "Cannot leave a job that runs over ssh: it ends with its connection, expected stream(), or a process that stays there such as tmux",
      ),
    );
  }

  /** The files of jobs are on the host. */
  protected override get files(): JobFiles {
    return this.#files;
  }

  /** Runs programs on the host. */
  protected override get programs(): ProgramRunner {
    return this.#programs;
  }

  /** Refuses options that can't be, and opens the connection while nothing depends on it yet. */
  protected override async check(_script: ScriptSource, config: SshConfig): Promise<void> {
    refuseOther("host", this.config.host, config.host);
    checkFiles(config);
    await this.#connection.open();
  }

  /** Leads the host to a relay that only this machine sees. */
  protected override async relay(config: SshConfig): Promise<ResolvedRelay> {
    const relay = await super.relay(config);
    if (relay.jobUrl !== relay.url || config.transport === "file") return relay;
    const ports: number[] = [];
    const jobUrls: string[] = [];
    for (const one of relay.url.split(",").map((text) => text.trim())) {
      if (!isLoopback(one)) {
        jobUrls.push(one);
        continue;
      }
      const url = new URL(one.replace(/^ws/, "http"));
      const { hostname, protocol } = url;
      const port = await this.#connection.tunnel(
        `${hostname}:${url.port || (protocol === "https:" ? 443 : 80)}`,
      );
      ports.push(port);
      jobUrls.push(one.replace(/^(\w+:\/\/)[^/]+/, `$1127.0.0.1:${port}`));
    }
    if (ports.length > 0) {
      this.#notices.set(
        config,
        `The job reaches the relay through the ssh connection, at 127.0.0.1:${
          ports.join(", ")
        } of ${this.#connection.host}`,
      );
    }
    return { ...relay, jobUrl: jobUrls.join(",") };
  }

  /** Hands the script to a shell on the host. */
  protected override async submitJob(
    { jobScript, config }: Submission<SshConfig>,
  ): Promise<Submitted> {
    const within = (path: string | undefined) =>
      path === undefined || path.startsWith("/") || config.workdir === undefined
        ? path
        : `${config.workdir}/${path}`;
    const job = await startSshJob(this.#connection, jobScript, {
      output: within(config.output),
      error: within(config.error),
      killAfter: config.killAfter ?? 5_000,
    });
    const jobId = `${this.#connection.host}:${job.pid}`;
    this.#jobs.set(jobId, job);
    const notice = this.#notices.get(config);
    return {
      jobId,
      ...(notice && { notice }),
      ...(config.output && { output: within(config.output) }),
    };
  }

  /** Tells where jobs of this process are. */
  protected override states(jobIds: readonly string[]): Promise<Map<string, JobReport>> {
    const reports = new Map<string, JobReport>();
    for (const id of jobIds) {
      const job = this.#jobs.get(id);
      if (job) reports.set(id, this.#reportOf(job));
    }
    return Promise.resolve(reports);
  }

  /** Waits for the process; it needs no polls. */
  protected override watch(jobId: string, listener: ReportListener): JobWatch {
    const job = this.#jobs.get(jobId);
    return watchProcess(
      job && { status: job.status, report: () => this.#reportOf(job) },
      listener,
    );
  }

  /** Ends a job of this process. */
  protected override async cancelJob(jobId: string): Promise<void> {
    const job = this.#jobs.get(jobId);
    if (!job) {
      throw new StreamError(
        "upstream",
        `job ${jobId} was started by another process; it is told by the relay`,
      );
    }
    await job.kill();
  }

  /** The end of what the job complained about. */
  protected override output(jobId: string): Promise<string | undefined> {
    return Promise.resolve(this.#jobs.get(jobId)?.stderrTail() || undefined);
  }

  #reportOf({ ended }: SshJob): JobReport {
    const node = this.#connection.host;
    if (!ended) return { phase: "active", state: "RUNNING", node };
    return { phase: "ended", state: "EXITED", node, fate: fateOf(ended, node) };
  }
}

function fateOf({ code, stderr }: SshJobEnd, host: string): JobFate {
  if (code === undefined) {
    return {
      code: "producer_lost",
      message: `The ssh connection to ${host} was lost, and the job with it: ${
        stderr.trim().split("\n").at(-1) || "ssh gave no reason"
      }`,
      details: { stderr },
    };
  }
  if (code === 0) {
    return { code: "completed", message: "The job completed", details: { exitCode: 0 } };
  }
  const signal = code > 128 && code <= 192 ? code - 128 : undefined;
  return {
    code: "job_failed",
    message: signal === undefined
      ? `The job ended with exit code ${code}`
      : `The job ended with exit code ${code}: it was killed by signal ${signal}`,
    details: { exitCode: code, ...(signal !== undefined && { signal }) },
  };
}

function checkFiles(config: SshConfig): void {
  for (const name of ["output", "error"] as const) {
    const path = config[name];
    if (path === undefined || (path !== "" && !/[\0\n\r]/.test(path))) continue;
    throw new StreamError(
      "bad_request",
      `Cannot use ssh option ${name}: it is ${
        JSON.stringify(path)
      }, expected a path on a single line`,
    );
  }
}
