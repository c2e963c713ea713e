/**
 * What all executors have in common: they submit a job with its channel's coordinates in it, and give
 * the tokens that the job prints.
 *
 * @module
 */
import { TokenStream } from "../stream/token_stream.ts";
import type { CancelAck } from "../stream/v2_control.ts";
import type { DirectivePrefix } from "./directives.ts";
import { cancelBy } from "./cancel_by.ts";
import type { ArrayOptions, ExecutorConfig, Script, StreamOptions } from "./executor_config.ts";
import type { Input } from "./input_bytes.ts";
import type { JobArrays } from "./arrays/job_arrays.ts";
import type { SubmittedJob } from "./job/job_record.ts";
import type { Whereabouts } from "./whereabouts.ts";
import type { JobFate, JobReport, JobWatch, ReportListener } from "./job/job_report.ts";
import { JobRun } from "./job/job_run.ts";
import { leaveJob } from "./job/leave_job.ts";
import { type JobFiles, localFiles } from "./job/job_files.ts";
import { Poller } from "./poller.ts";
import type { TaskInput } from "./arrays/prepare_array.ts";
import { nodeFacingAddress } from "./relay/node_facing_address.ts";
import { localPrograms, type ProgramRunner } from "./program_runner.ts";
import { relayFor, type ResolvedRelay } from "./relay/relay_for.ts";
import type { Scheduler, Submission, Submitted } from "./scheduler.ts";
import { readScript, type ScriptSource } from "./script_source.ts";
import type { Via } from "./ssh/ssh_options.ts";
import { relayBehind } from "./ssh/ssh_programs.ts";
import { cannotLeave, viaMachine, viaRelay } from "./ssh/via_relay.ts";
import { SiteRules } from "./site_rules.ts";
import { startArray } from "./arrays/start_array.ts";
import { SubmitLimits } from "./submit_limits.ts";
import type { TaskArray } from "./arrays/task_array.ts";
import { DEFAULT_TIMINGS } from "./timings.ts";

/**
 * Submits jobs and gives their tokens. An executor for another scheduler extends it: it submits, tells
 * states, cancels; everything else is here.
 *
 * The streams are encrypted end to end, unless `encryption: "off"` is asked for; each says in its
 * `submitted` status which.
 *
 * @example The same program with every executor
 * ```ts
 * import type { Executor } from "./executor.ts";
 * import { LocalExecutor } from "./local/local_executor.ts";
 * import { serveRelay } from "../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * async function ask(executor: Executor, prompt: string): Promise<string> {
 *   const stream = executor.stream({ text: "cat; echo -n ' indeed'" }, prompt);
 *   const text = await stream.text();
 *   assertEquals((await stream.result).reason, "completed");
 *   return text;
 * }
 *
 * const secret = "a long random secret";
 * const relay = await serveRelay({ port: 0, secret });
 * const here = new LocalExecutor({ relay: { url: relay.url, token: secret } });
 * assertEquals(await ask(here, "A tide"), "A tide indeed");
 * await relay.close();
 * ```
 */
export abstract class Executor<C extends ExecutorConfig = ExecutorConfig> {
  /** What jobs of this executor are called in records: `slurm`, `local`. */
  abstract readonly kind: string;
  /** The configuration. */
  protected readonly config: C;
  /** Whether a job lives no longer than who reads it. */
  protected readonly attended: boolean = false;
  #limits = new SubmitLimits();
  #site = new SiteRules(() => this.files);

  /**
   * Makes an executor; nothing is asked or started yet.
   *
   * @param config The configuration; every call can override parts of it.
   */
  constructor(config: C) {
    this.config = config;
  }

  /**
   * Runs a script as a job and gives what it prints, while it prints it. It starts at once; whatever
   * goes wrong, also before the job is submitted, is the stream's end.
   *
   * Leaving the stream early leaves the job to `onDisconnect`, and `result` open; `cancel()` ends it.
   *
   * @param script The path of a script, `{ text }`, or `{ remote }` for one that is where the job runs.
   * @param input What the script gets on its standard input, at most 16 MiB.
   * @param options Overrides of the configuration, arguments, and a signal that cancels.
   * @returns The tokens, and how it ended.
   */
  stream(
    script: Script,
    input?: Input,
    options: StreamOptions<C> = {},
  ): TokenStream {
    const { signal, args = [], ...overrides } = options;
    const config = this.#merge(overrides as Partial<C>);
    const run = new JobRun(this.#scheduler(script), config);
    const stream = new TokenStream(run);
    run.start({ input, args, config });
    if (signal) cancelBy(signal, stream, run.ended);
    return stream;
  }

  /**
   * Runs a script as a job array and gives a stream for each of its tasks, which is one like any other:
   * with an end, a job id, a record and a `cancel()` of its own. It starts at once; all streams are given
   * at once, too, and what stands in the way of all tasks is the end of each.
   *
   * A script that speaks to the relay itself finds its task's channel as any other script does.
   *
   * @param script As for {@linkcode Executor.stream}.
   * @param input What every task gets on its standard input; a function gives each its own.
   * @param options As for {@linkcode Executor.stream}; and `array`, which tasks there are.
   * @returns Each task's index and tokens, in the order of the indices. Iterating throws `bad_request` for
   * tasks that can't be read, `unsupported` where the scheduler knows no arrays.
   * @example
   * ```ts ignore
   * import { SlurmExecutor } from "@streamrelay/cli/adapters";
   *
   * const prompts = ["What is a tide?", "What is a wave?"];
   * const slurm = new SlurmExecutor({ partition: "gpu", gres: "gpu:1" });
   * const answers = slurm.streamAll("infer.sh", (task) => prompts[task], { array: "0-1" });
   * for await (const [task, stream] of answers) console.log(prompts[task], await stream.text());
   * ```
   */
  streamAll(
    script: Script,
    input?: TaskInput,
    options: ArrayOptions<C> = {},
  ): AsyncIterable<[task: number, stream: TokenStream]> {
    const { signal, args = [], array, ...overrides } = options;
    const config = this.#merge(overrides as unknown as Partial<C>);
    const scheduler = this.#scheduler(script);
    const started = startArray(scheduler, { input, args, array, config }, signal);
    // told whoever iterates
    started.catch(() => {});
    return {
      async *[Symbol.asyncIterator]() {
        yield* await started;
      },
    };
  }

  /**
   * Submits a job and leaves it: its tokens wait at the relay for whoever reads them.
   *
   * @param script As for {@linkcode Executor.stream}.
   * @param input As for {@linkcode Executor.stream}.
   * @param options As for {@linkcode Executor.stream}.
   * @returns The job, which is also remembered in the state folder.
   * @throws {StreamError} Whatever stands in the way.
   */
  async submit(
    script: Script,
    input?: Input,
    options: StreamOptions<C> = {},
  ): Promise<SubmittedJob> {
    const { signal, args = [], ...overrides } = options;
    const config = this.#merge(overrides as Partial<C>);
    if (config.relay === "via") throw cannotLeave();
    const scheduler = this.#scheduler(script);
    return await leaveJob(scheduler, { input, args, config }, signal);
  }

  /**
   * Takes up a job that was submitted before, from its start: reads it and looks after it.
   *
   * @param job The job, as {@linkcode Executor.submit} returned it or the state folder remembers it.
   * @param options A signal that cancels.
   * @returns The tokens, from the first.
   */
  attach(
    job: SubmittedJob,
    options: { signal?: AbortSignal } = {},
  ): TokenStream {
    const run = new JobRun(
      this.#scheduler({ text: "" }),
      { ...this.config, record: false },
    );
    const stream = new TokenStream(run);
    run.adopt(job);
    if (options.signal) cancelBy(options.signal, stream, run.ended);
    return stream;
  }

  /**
   * Asks the scheduler how a job ended.
   *
   * @param jobId The scheduler's id.
   * @returns The fate; `undefined` while it has not ended, or where the scheduler does not know it.
   */
  async explain(jobId: string): Promise<JobFate | undefined> {
    return (await this.states([jobId])).get(jobId)?.fate;
  }

  /**
   * Cancels a job, whoever submitted it: at the relay, so that a job that starts later stops, and at
   * the scheduler.
   *
   * @param job The job.
   * @param reason Why.
   * @returns How far it got.
   */
  async cancel(job: SubmittedJob, reason?: string): Promise<CancelAck> {
    return await this.attach(job).cancel(reason);
  }

  /** Submits a job script. */
  protected abstract submitJob(submission: Submission<C>): Promise<Submitted>;

  /**
   * Asks about jobs, all in one call; what is not known is left out. Unless it is urgent, what was known
   * of a job that waits may do.
   */
  protected abstract states(
    jobIds: readonly string[],
    urgent?: boolean,
  ): Promise<Map<string, JobReport>>;

  /** Cancels a job; one that is over already is no failure. */
  protected abstract cancelJob(jobId: string): Promise<void>;

  /** What the scheduler's directives begin with; none by default. */
  protected get directivePrefix(): DirectivePrefix | undefined {
    return undefined;
  }

  /** What tells this scheduler from another one of its kind. */
  protected get cluster(): string {
    return this.kind;
  }

  /** Refuses what can't be submitted, before anything is done. */
  protected check(_script: ScriptSource, _config: C, _array?: TaskArray): Promise<void> {
    return Promise.resolve();
  }

  /** Job arrays, where the scheduler has them. */
  protected get arrays(): JobArrays<C> | undefined {
    return undefined;
  }

  /** Lines that run in the job before the user's own set-up; none by default. */
  protected setup(_config: C): string[] {
    return [];
  }

  /** The machine that the scheduler's programs run on, where that is not this one. */
  protected get via(): Via | undefined {
    return undefined;
  }

  /** What else leads to the scheduler again, without any secret. */
  protected whereabouts(_config: C): Whereabouts | undefined {
    return undefined;
  }

  /** The files of jobs, where the scheduler's programs run. */
  protected get files(): JobFiles {
    return localFiles;
  }

  /** Runs programs there; `undefined` where nothing but the scheduler can be reached. */
  protected get programs(): ProgramRunner | undefined {
    return localPrograms;
  }

  /** Finds the relay that a job's stream goes through. */
  protected async relay(config: C): Promise<ResolvedRelay> {
    const permit = await this.#site.relays();
    if (config.relay === "via") {
      permit("via");
      const machine = viaMachine(this.via && this.programs);
      return await viaRelay(machine, { ...config.embedded, nodes: () => this.nodes() });
    }
    return await relayFor(config.relay, {
      ...config.embedded,
      // with a spool nobody but this side has to reach it
      ...(config.transport !== "file" && { nodeFacing: () => this.#nodeFacing(config) }),
      permit,
    });
  }

  /** The nodes that jobs run on, by name or address; this machine by default. */
  protected nodes(): Promise<string[]> {
    return Promise.resolve(["127.0.0.1"]);
  }

  /** Where compute nodes find a relay on this machine. */
  async #nodeFacing({ embedded }: C): Promise<string> {
    if (this.via) throw relayBehind(this.via);
    return await nodeFacingAddress(await this.nodes(), embedded?.interface);
  }

  /** Whether the scheduler archives scripts, so that no token should be in one. */
  protected archivesScripts(_config: C): Promise<boolean> {
    return Promise.resolve(false);
  }

  /** Watches a job: by polls that all jobs of the scheduler share. */
  protected watch(jobId: string, listener: ReportListener, config: C): JobWatch {
    return Poller.of(this.cluster).watch(
      jobId,
      listener,
      (ids, urgent) => this.states(ids, urgent),
      { ...DEFAULT_TIMINGS, ...config.timings },
    );
  }

  /** The end of a job's output file, for one that left no word. */
  protected async output(
    _jobId: string,
    path: string | undefined,
  ): Promise<string | undefined> {
    return path === undefined ? undefined : await this.files.tail(path);
  }

  #merge(overrides: Partial<C>): C {
    const given = Object.entries(overrides).filter(([, value]) => value !== undefined);
    return { ...this.config, ...Object.fromEntries(given) };
  }

  #scheduler(script: Script): Scheduler<C> {
    return {
      kind: this.kind,
      attended: this.attended,
      via: this.via,
      whereabouts: (config) => this.whereabouts(config),
      files: this.files,
      programs: this.programs,
      relay: (config) => this.relay(config),
      readScript: () => readScript(script, this.directivePrefix, this.files),
      archivesScripts: (config) => this.archivesScripts(config),
      check: (source, config, array) => this.check(source, config, array),
      setup: (config) => this.setup(config),
      arrays: this.arrays,
      submitJob: (submission) => this.submitJob(submission),
      watch: (jobId, listener, config) => this.watch(jobId, listener, config),
      cancelJob: (jobId) => this.cancelJob(jobId),
      output: (jobId, path) => this.output(jobId, path),
      enter: (config, jobs) => this.#limits.enter(config.maxJobs, config.maxJobsPerHour, jobs),
      admit: (encryption) => this.#site.admit(encryption),
      timings: (config) => this.#site.timings(config.timings),
    };
  }
}
