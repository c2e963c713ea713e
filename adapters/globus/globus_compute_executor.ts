/**
 * Runs scripts and Python functions as tasks of Globus Compute.
 *
 * @module
 */
import { StreamError } from "../../stream/stream_error.ts";
import type { TokenStream } from "../../stream/token_stream.ts";
import { Executor } from "../executor.ts";
import type { Script, StreamOptions } from "../executor_config.ts";
import type { Input } from "../input_bytes.ts";
import type { SubmittedJob } from "../job/job_record.ts";
import type { JobReport, JobWatch, ReportListener } from "../job/job_report.ts";
import type { Whereabouts } from "../whereabouts.ts";
import type { Submission, Submitted } from "../scheduler.ts";
import type { ScriptSource } from "../script_source.ts";
import { DEFAULT_TIMINGS } from "../timings.ts";
import { AccessTokens } from "./access_tokens.ts";
import { ComputeService, type Sharing, type TaskRequest } from "./compute_service.ts";
import type { GlobusConfig, PythonFunction } from "./globus_config.ts";
import { authServiceOf } from "./login_to_globus.ts";
import { loginFromEnvironment } from "./globus_login.ts";
import { RegisteredFunctions } from "./registered_functions.ts";
import { type RemoteFunction, RUN_SCRIPT } from "./remote_functions.ts";
import { serviceUrl } from "./service_url.ts";
import { checkTask, type GlobusRun, type RemoteCall, remoteCall } from "./remote_call.ts";
import { taskReport } from "./task_report.ts";
import { TaskWatch } from "./task_watch.ts";
import { RESULT_SERIALIZERS } from "./wire_format.ts";

/** How many ended tasks are remembered: the service may tell a result only once. */
const REMEMBERED = 1_000;

const ended = new Map<string, JobReport>();

/**
 * Runs scripts, or Python functions that stream by themselves, as tasks of Globus Compute, by its web
 * service alone. The task needs bash, and what any job of ours needs to reach the relay.
 *
 * A task can't be cancelled at Globus Compute. One that waits ends its stream at once, and ends when it
 * starts; one that runs is ended through the relay.
 *
 * @example
 * ```ts ignore
 * import { GlobusComputeExecutor } from "@streamrelay/cli/adapters";
 *
 * const globus = new GlobusComputeExecutor({
 *   endpoint: "4b116d3c-1703-4f8f-9f6f-39921e5864df",
 *   relay: { url: "wss://relay.example.com" },
 * });
 * for await (const token of globus.stream("infer.sh", "What is a tide?")) {
 *   await Deno.stdout.write(new TextEncoder().encode(token));
 * }
 * ```
 */
export class GlobusComputeExecutor extends Executor<GlobusConfig> {
  /** What its jobs are called in records. */
  override readonly kind = "globus";
  #service?: ComputeService;
  #functions?: RegisteredFunctions;
  #watched = new Map<string, TaskWatch>();
  #cancelled = new Set<string>();
  #asking?: ReturnType<typeof setTimeout>;
  #offline = new Map<string, { at: number; answer: Promise<string | undefined> }>();

  /**
   * Makes an executor; nothing is asked or started yet.
   *
   * @param config Endpoint, login, relay, set-up.
   * @throws {StreamError} `bad_request` for an option that can't be.
   */
  constructor(config: GlobusConfig = {}) {
    super(config);
    if (config.endpoint !== undefined) checkTask(config);
    serviceUrl(this.#serviceUrl, "serviceUrl");
  }

  /**
   * Runs a script, or calls a Python function, as a task.
   *
   * @param script As for every executor; or a Python function, which is called with the keyword
   * arguments `relay_url`, `channel_id` and `relay_secret`, with `encryption: "v1"` also
   * `encryption_key`, and writes to its channel itself, as with the Python package's
   * `StreamingExecutor`.
   * @param input What the script gets on its standard input, or the function as an argument. It goes
   * through the relay; Globus Compute never gets to see it.
   * @param options As for every executor.
   * @returns The tokens, and how it ended.
   */
  override stream(
    script: Script | PythonFunction,
    input?: Input,
    options: StreamOptions<GlobusConfig> = {},
  ): TokenStream {
    const [runs, all] = asRun(script, options);
    return super.stream(runs, input, all);
  }

  /**
   * Submits a task and leaves it: its tokens wait at the relay for whoever reads them.
   *
   * @param script As for {@linkcode GlobusComputeExecutor.stream}.
   * @param input As for {@linkcode GlobusComputeExecutor.stream}.
   * @param options As for every executor.
   * @returns The job, which is also remembered in the state folder.
   * @throws {StreamError} Whatever stands in the way.
   */
  override async submit(
    script: Script | PythonFunction,
    input?: Input,
    options: StreamOptions<GlobusConfig> = {},
  ): Promise<SubmittedJob> {
    const [runs, all] = asRun(script, options);
    return await super.submit(runs, input, all);
  }

  /**
   * Registers the function that runs scripts, for an administrator to allow it at an endpoint and for
   * `functionUuid`.
   *
   * @param sharing Who else may call it; nobody by default.
   * @returns Its id.
   * @throws {StreamError} As the service refuses.
   */
  async registerFunction(sharing: Sharing = {}): Promise<string> {
    return await this.#compute.registerFunction(RUN_SCRIPT, sharing);
  }

  /** There is nothing but the service. */
  protected override get programs(): undefined {
    return undefined;
  }

  /** The service and who asks it: their tasks are asked about together. */
  protected override get cluster(): string {
    const { login } = this.config;
    const who = login === undefined ? "" : "token" in login ? login.token : login.clientId;
    return `globus ${this.#serviceUrl} ${who}`;
  }

  /** The endpoint and who asks, without the secret of a login. */
  protected override whereabouts({ endpoint }: GlobusConfig): Whereabouts {
    const { serviceUrl, authUrl, login = loginFromEnvironment() } = this.config;
    return {
      endpoint,
      ...(serviceUrl !== undefined && { serviceUrl }),
      ...(authUrl !== undefined && { authUrl }),
      ...("clientId" in login && { clientId: login.clientId }),
    };
  }

  /** Refuses what can't be. */
  protected override async check(_script: ScriptSource, config: GlobusConfig): Promise<void> {
    checkTask(config);
    // who can't log in is told before a channel is made
    await this.#compute.ready();
  }

  /** Workers are somewhere else; where they can't reach this machine, `relay.url` is needed. */
  protected override nodes(): Promise<string[]> {
    return Promise.resolve([]);
  }

  /** Submits one task. */
  protected override async submitJob(
    submission: Submission<GlobusConfig>,
  ): Promise<Submitted> {
    const { config } = submission;
    const endpoint = config.endpoint!;
    const call = await remoteCall(submission);
    const [jobId, notice] = await Promise.all([
      this.#submit(endpoint, call, {
        payload: call.payload,
        resultSerializers: RESULT_SERIALIZERS,
        userEndpointConfig: config.userEndpointConfig,
        resourceSpecification: config.resourceSpecification as Record<string, unknown>,
      }),
      this.#endpointNotice(endpoint),
    ]);
    return { jobId, ...(notice && { notice }) };
  }

  /** Tells where tasks are; the service is not asked again about one that has ended. */
  protected override async states(
    jobIds: readonly string[],
  ): Promise<Map<string, JobReport>> {
    const open = jobIds.filter((id) => !ended.has(id));
    const reports = new Map<string, JobReport>();
    if (open.length > 0) {
      for (const [id, task] of await this.#compute.statuses(open)) {
        const report = taskReport(task);
        if (report.phase === "ended") remember(id, report);
        reports.set(id, report);
      }
    }
    for (const id of jobIds) if (ended.has(id)) reports.set(id, ended.get(id)!);
    return reports;
  }

  /** Watches by polls. */
  protected override watch(
    jobId: string,
    listener: ReportListener,
    config: GlobusConfig,
  ): JobWatch {
    const task = new TaskWatch(listener, (config.lostAfter ?? 1_800) * 1000);
    this.#watched.set(jobId, task);
    return task.around(
      super.watch(jobId, task, config),
      () => {
        if (this.#watched.get(jobId) === task) this.#watched.delete(jobId);
      },
    );
  }

  /** There is no such thing; the relay keeps the wish. */
  protected override cancelJob(jobId: string): Promise<void> {
    this.#cancelled.add(jobId);
    // who cancels many asks once
    this.#asking ??= setTimeout(
      () => this.#askOfCancelled(),
      this.config.timings?.gather ?? DEFAULT_TIMINGS.gather,
    );
    return Promise.reject(
      new StreamError(
        "unsupported",
        "Globus Compute can't cancel a task; this one is told through the relay, or when it starts",
      ),
    );
  }

  /** The end of what a task complained about stands in its fate. */
  protected override output(): Promise<string | undefined> {
    return Promise.resolve(undefined);
  }

  get #serviceUrl(): string {
    return this.config.serviceUrl ?? "https://compute.api.globus.org";
  }

  get #compute(): ComputeService {
    if (!this.#service) {
      const { login = loginFromEnvironment(), requestTimeout: timeout = 60_000 } = this.config;
      const url = serviceUrl(this.#serviceUrl, "serviceUrl");
      const tokens = new AccessTokens(login, authServiceOf(this.config));
      const service = new ComputeService({ url, tokens, timeout });
      const { account } = tokens;
      this.#functions = new RegisteredFunctions(service, account && `${url} ${account}`);
      this.#service = service;
    }
    return this.#service;
  }

  /** A task that still waits is over for its reader; what else became of it, the polls tell. */
  async #askOfCancelled(): Promise<void> {
    const ids = [...this.#cancelled].filter((id) => this.#watched.has(id));
    this.#cancelled.clear();
    this.#asking = undefined;
    if (ids.length === 0) return;
    try {
      for (const [id, report] of await this.states(ids)) this.#watched.get(id)?.cancelled(report);
    } catch {
      // the cancel is tried again, and this with it
    }
  }

  async #submit(
    endpoint: string,
    call: RemoteCall,
    task: Omit<TaskRequest, "functionUuid">,
  ): Promise<string> {
    const service = this.#compute;
    if (typeof call.code === "string") {
      return await service.submit(endpoint, { ...task, functionUuid: call.code });
    }
    const code: RemoteFunction = call.code;
    const functions = this.#functions!;
    const functionUuid = await functions.idOf(code);
    try {
      return await service.submit(endpoint, { ...task, functionUuid });
    } catch (error) {
      const { code: name } = (error as StreamError).details ?? {};
      if (name !== "FUNCTION_NOT_FOUND" && name !== "FUNCTION_ACCESS_FORBIDDEN") throw error;
      // a refusal: an id that was kept is good no more, and nothing was submitted
      await functions.forget(code);
      return await service.submit(endpoint, {
        ...task,
        functionUuid: await functions.idOf(code),
      });
    }
  }

  /** Says so when an endpoint is not there: its tasks wait for it, for two weeks. */
  async #endpointNotice(endpoint: string): Promise<string | undefined> {
    let known = this.#offline.get(endpoint);
    if (!known || performance.now() - known.at > 60_000) {
      const answer = this.#compute.endpointStatus(endpoint).catch(() => undefined);
      this.#offline.set(endpoint, known = { at: performance.now(), answer });
    }
    return await known.answer === "offline"
      ? "The endpoint is offline; the task waits for it"
      : undefined;
  }
}

/** The function that is to be called goes along with the call's options. */
function asRun(
  script: Script | PythonFunction,
  options: StreamOptions<GlobusConfig>,
): [Script, StreamOptions<GlobusConfig>] {
  if (typeof script === "string" || "text" in script || "remote" in script) {
    return [script, options];
  }
  const run: StreamOptions<GlobusRun> = {
    ...options,
    call: script,
    // it speaks to the relay itself
    producer: { ...options.producer, script: true },
  };
  // by this name it is remembered
  const name = "function" in script ? script.function : script.functionUuid;
  return [{ remote: name }, run];
}

function remember(id: string, report: JobReport): void {
  ended.set(id, report);
  if (ended.size > REMEMBERED) ended.delete(ended.keys().next().value!);
}
