/**
 * Runs scripts as processes of this machine.
 *
 * @module
 */
import { cleanEnvironment } from "../clean_environment.ts";
import { Executor } from "../executor.ts";
import type { ExecutorConfig } from "../executor_config.ts";
import type { JobFate, JobReport, JobWatch, ReportListener } from "../job/job_report.ts";
import type { Submission, Submitted } from "../scheduler.ts";
import { watchProcess } from "../watch_process.ts";
import { type LocalJob, startLocalJob } from "./local_job.ts";

/** Configuration of a {@linkcode LocalExecutor}. */
export interface LocalConfig extends ExecutorConfig {
  /**
   * Milliseconds that a cancelled job has between SIGTERM and SIGKILL.
   *
   * @default {5_000}
   */
  killAfter?: number;
}

/**
 * Runs scripts as processes of this machine: the same job script, the same stream and the same ends as
 * on a cluster. A job lives no longer than who reads it.
 *
 * @example Through a relay that runs; without `relay`, this user's own is found or started
 * ```ts
 * import { LocalExecutor } from "./local_executor.ts";
 * import { serveRelay } from "../../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const secret = "a long random secret";
 * const relay = await serveRelay({ port: 0, secret });
 * const executor = new LocalExecutor({ relay: { url: relay.url, token: secret } });
 * const stream = executor.stream({ text: "tr a-z A-Z" }, "hello");
 * assertEquals(await stream.text(), "HELLO");
 * await relay.close();
 * ```
 */
export class LocalExecutor extends Executor<LocalConfig> {
  /** What its jobs are called in records. */
  override readonly kind = "local";
  /** A local job ends with who reads it. */
  protected override readonly attended = true;
  #jobs = new Map<string, LocalJob>();

  /**
   * Makes an executor; nothing is started yet.
   *
   * @param config Relay, set-up; everything has a default.
   */
  constructor(config: LocalConfig = {}) {
    super(config);
  }

  /** Hands the script to bash. */
  protected override async submitJob(
    { jobScript, config }: Submission<LocalConfig>,
  ): Promise<Submitted> {
    const job = await startLocalJob(jobScript, {
      cwd: config.workdir,
      env: cleanEnvironment(),
      output: config.output,
      error: config.error,
    });
    this.#jobs.set(job.id, job);
    return {
      jobId: job.id,
      ...(config.output && { output: config.output }),
    };
  }

  /** Tells where jobs are. */
  protected override states(
    jobIds: readonly string[],
  ): Promise<Map<string, JobReport>> {
    const reports = new Map<string, JobReport>();
    for (const id of jobIds) {
      const job = this.#jobs.get(id);
      if (job) reports.set(id, reportOf(job));
    }
    return Promise.resolve(reports);
  }

  /** Waits for the process; it needs no polls. */
  protected override watch(jobId: string, listener: ReportListener): JobWatch {
    const job = this.#jobs.get(jobId);
    return watchProcess(
      job && { status: job.status, report: () => reportOf(job) },
      listener,
    );
  }

  /** Ends a job. */
  protected override async cancelJob(jobId: string): Promise<void> {
    await this.#jobs.get(jobId)?.kill(this.config.killAfter ?? 5_000);
  }

  /** The end of what the job complained about. */
  protected override async output(jobId: string): Promise<string | undefined> {
    return await this.#jobs.get(jobId)?.stderrTail() || undefined;
  }
}

function reportOf(job: LocalJob): JobReport {
  const node = Deno.hostname();
  if (!job.ended) return { phase: "active", state: "RUNNING", node };
  return { phase: "ended", state: "EXITED", node, fate: fateOf(job.ended) };
}

function fateOf({ code, signal }: Deno.CommandStatus): JobFate {
  if (signal) {
    return {
      code: "job_failed",
      message: `The job was killed by ${signal}`,
      details: { signal },
    };
  }
  return code === 0
    ? { code: "completed", message: "The job completed", details: { exitCode: 0 } }
    : {
      code: "job_failed",
      message: `The job ended with exit code ${code}`,
      details: { exitCode: code },
    };
}
