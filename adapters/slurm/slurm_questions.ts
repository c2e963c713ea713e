/**
 * What a Slurm cluster is asked, and how seldom.
 *
 * @module
 */
import { StreamError } from "../../stream/stream_error.ts";
import type { Timings } from "../timings.ts";
import type { JobReport } from "../job/job_report.ts";
import type { ProgramOutcome } from "../run_program.ts";
import { failure } from "../scheduler_words.ts";
import { parseSacct, SACCT_FORMAT, withAccount } from "./slurm_accounting.ts";
import { parsePlaces, PLACES_FORMAT } from "./slurm_places.ts";
import { parseSlurmSite, type SlurmSite } from "./slurm_site.ts";
import {
  parsePartitionsDown,
  parseSqueue,
  type SlurmReport,
  SQUEUE_FORMAT,
  waitsByItself,
} from "./slurm_states.ts";

/** Runs one of Slurm's programs. */
export type RunSlurm = (
  program: string,
  args: string[],
  options?: { signal?: AbortSignal },
) => Promise<ProgramOutcome>;

/** How seldom, how long, how urgently. */
export interface SlurmPace extends Pick<Required<Timings>, "placesEvery" | "accountingTime"> {
  /** Whether a job may have ended, so that what was known of it won't do. */
  urgent: boolean;
}

/** Fates that the accounting may know more about. */
const WORTH_ASKING = new Set(["job_cancelled", "job_failed"]);

/** By how much the queue is looked at sooner for the place of a job that has none yet. */
const SOONER = 5;

const clusters = new Map<string, SlurmQuestions>();

/** The questions to one cluster. Executors of one process that speak to the same cluster share them. */
export class SlurmQuestions {
  #site?: Promise<SlurmSite>;
  #accounting = true;
  #waiting = new Map<string, SlurmReport>();
  #placesAt = -Infinity;
  /** Whether the last look at the queue left open where a job is. */
  #open = false;

  /**
   * The questions to a cluster, one in a process.
   *
   * @param cluster What tells this cluster from others.
   * @returns The questions.
   */
  static of(cluster: string): SlurmQuestions {
    let questions = clusters.get(cluster);
    if (!questions) clusters.set(cluster, questions = new SlurmQuestions());
    return questions;
  }

  /**
   * The site's configuration, asked for once.
   *
   * @param run Runs Slurm's programs.
   * @returns What it says; nothing special where it can't be had.
   */
  site(run: RunSlurm): Promise<SlurmSite> {
    const asked = this.#site ??= run("scontrol", ["show", "config"])
      .then(({ stdout }) => parseSlurmSite(stdout));
    asked.catch(() => this.#site = undefined);
    return asked;
  }

  /**
   * Tells where jobs are: by one call, to `squeue`. As long as all of them wait, the call is now and then
   * one for the whole queue, which tells their places. Jobs that ended badly or were forgotten are looked
   * up in the accounting, where there is one, by one call more.
   *
   * @param run Runs Slurm's programs.
   * @param jobIds The jobs.
   * @param pace How seldom the whole queue is looked at, how long the accounting may take.
   * @returns Reports by job id; what is not known is left out.
   * @throws {StreamError} `upstream` when the controller can't be asked.
   */
  async states(
    run: RunSlurm,
    jobIds: readonly string[],
    pace: SlurmPace,
  ): Promise<Map<string, JobReport>> {
    const reports = await this.#places(run, jobIds, pace) ?? await this.#squeue(run, jobIds);
    const former = this.#waiting;
    this.#waiting = new Map();
    for (const [id, report] of reports) {
      if (report.phase !== "pending") continue;
      const { position } = former.get(id) ?? {};
      if (position !== undefined && !waitsByItself(report.reason)) report.position ??= position;
      this.#waiting.set(id, report);
    }
    return await this.#withAccounts(run, jobIds, reports, pace);
  }

  async #squeue(run: RunSlurm, jobIds: readonly string[]): Promise<Map<string, SlurmReport>> {
    const { code, stdout, stderr } = await run("squeue", [
      "-h",
      // each task of an array by itself
      "-r",
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
      const down = await partitionsDown(run);
      for (const job of never) {
        job.neverStartable = down !== undefined &&
          job.partitions.some((name) => !down.has(name));
      }
    }
    return reports;
  }

  /** The jobs with their places; `undefined` where it is not the time. */
  async #places(
    run: RunSlurm,
    jobIds: readonly string[],
    { placesEvery, urgent }: SlurmPace,
  ): Promise<Map<string, SlurmReport> | undefined> {
    const isOpen = this.#open;
    this.#open = false;
    if (urgent || isOpen) return undefined;
    const known = jobIds.flatMap((id) => this.#waiting.get(id) ?? []);
    if (known.length < jobIds.length) return undefined;
    const queued = known.filter(({ reason }) => !waitsByItself(reason));
    if (queued.length === 0) return undefined;
    // one that has no place yet needn't wait as long as a place takes to change
    const isNew = queued.some(({ position }) => position === undefined);
    const least = isNew ? placesEvery / SOONER : placesEvery;
    if (performance.now() - this.#placesAt < least) return undefined;
    if ((await this.site(run)).hidesJobs) return undefined;
    this.#placesAt = performance.now();
    const args = ["-h", "-a", "-t", "PENDING", "-o", PLACES_FORMAT];
    const { code, stdout, stderr } = await run("squeue", args);
    if (code !== 0) throw failure("squeue", stderr);
    const places = parsePlaces(stdout);
    const reports = new Map<string, SlurmReport>();
    for (const id of jobIds) {
      // that it will never start has to be seen with its partition up
      const { neverStartable: _neverStartable, ...known } = this.#waiting.get(id)!;
      const place = places.get(id);
      // where it is by now, or whether it will never start, the next question tells: not at once
      const isPlaced = place !== undefined && !waitsByItself(place.reason);
      const { position: _position, eta: _eta, reason: _reason, ...report } = known;
      if (!isPlaced) this.#open = true;
      reports.set(id, isPlaced ? { ...report, ...place } : known);
    }
    return reports;
  }

  async #withAccounts(
    run: RunSlurm,
    jobIds: readonly string[],
    reports: Map<string, JobReport>,
    { accountingTime }: SlurmPace,
  ): Promise<Map<string, JobReport>> {
    const wanted = jobIds.filter((id) => {
      const report = reports.get(id);
      return report === undefined || WORTH_ASKING.has(report.fate?.code ?? "");
    });
    if (!this.#accounting || wanted.length === 0) return reports;
    const accounts = await this.#sacct(run, wanted, accountingTime);
    for (const id of wanted) {
      const account = accounts.get(id);
      if (account) reports.set(id, withAccount(reports.get(id), account));
    }
    return reports;
  }

  /** Where there is no accounting, or none that answers, the controller's word has to do. */
  async #sacct(
    run: RunSlurm,
    jobIds: readonly string[],
    patience: number,
  ): Promise<Map<string, JobReport>> {
    const args = ["-n", "-P", "-j", jobIds.join(","), "-o", SACCT_FORMAT];
    const signal = AbortSignal.timeout(patience);
    try {
      const { code, stdout, stderr } = await run("sacct", args, { signal });
      if (code === 0) return parseSacct(stdout);
      if (/accounting storage is disabled/i.test(stderr)) this.#accounting = false;
    } catch (error) {
      if (error instanceof StreamError && error.code === "submit_failed") this.#accounting = false;
    }
    return new Map();
  }
}

/**
 * `undefined` where the question failed, which is no reason to give a job up. Where it is forbidden
 * (`PrivateData`) Slurm's reason stands alone: it is another one for a partition that is down.
 */
async function partitionsDown(run: RunSlurm): Promise<Set<string> | undefined> {
  const { code, stdout, stderr } = await run("sinfo", ["-h", "-o", "%R|%a"]);
  if (code === 0) return parsePartitionsDown(stdout);
  return /denied/i.test(stderr) ? new Set() : undefined;
}
