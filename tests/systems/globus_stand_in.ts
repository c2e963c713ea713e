/**
 * A stand-in of Globus Auth and of the Globus Compute web service on loopback. It really executes what is
 * submitted, each task in a python3 of its own.
 *
 * @module
 */

/** What a request brought. */
export interface SeenRequest {
  /** Method and path. */
  what: string;
  /** Its body. */
  body: string;
  /** Its `Authorization`. */
  authorization: string;
}

/** How the stand-in behaves. */
export interface StandInOptions {
  /** Tasks stay `waiting-for-ep` until `release()`. */
  held?: boolean;
  /** Results are pickled, as an endpoint older than 3.6 does. */
  pickled?: boolean;
  /** Seconds that a token is said to be good for. */
  expiresIn?: number;
  /** What the endpoint is said to be. */
  endpointStatus?: string;
  /** Submits are taken, and never answered. */
  silentSubmits?: boolean;
  /** Answers a request instead of the service, if it likes. */
  answer?: (request: SeenRequest) => Response | undefined;
}

/** A running stand-in. */
export interface GlobusStandIn extends AsyncDisposable {
  /** Where both services are. */
  url: string;
  /** Id of its endpoint. */
  endpoint: string;
  /** A service account it knows. */
  client: { clientId: string; clientSecret: string };
  /** All requests so far. */
  requests: SeenRequest[];
  /** All that functions returned so far. */
  results: string[];
  /** A token that is good. */
  newToken(): string;
  /** Registers a function on somebody's behalf, and tells its id. */
  register(name: string, source: string): string;
  /** Lets tasks begin that are held. */
  release(): void;
  /** Makes every token there is worthless. */
  revoke(): void;
  /** Forgets every function. */
  forgetFunctions(): void;
  /** Kills every worker, as a node that fails does. */
  killWorkers(): void;
  /** Resolves when no task runs or waits. */
  idle(): Promise<void>;
}

interface Task {
  task_id: string;
  status: string;
  result?: string;
  exception?: string;
  completion_t?: string;
}

const WORKER = new URL("globus/worker.py", import.meta.url).pathname;
const CODE = "the-code-on-the-page";
const REFRESH = "the-refresh-token";

/**
 * Starts one.
 *
 * @param options How it behaves.
 * @returns The stand-in, listening.
 */
export function globusStandIn(options: StandInOptions = {}): GlobusStandIn {
  const endpoint = crypto.randomUUID();
  const client = { clientId: crypto.randomUUID(), clientSecret: "the-secret-of-the-client" };
  const tokens = new Set<string>();
  const revoked = new Set<string>();
  const functions = new Map<string, string>();
  const tasks = new Map<string, Task>();
  const running = new Set<Promise<void>>();
  const workers = new Set<Deno.ChildProcess>();
  const requests: SeenRequest[] = [];
  const results: string[] = [];
  const gate = Promise.withResolvers<void>();
  if (!options.held) gate.resolve();

  const newToken = () => {
    const token = `access-${crypto.randomUUID()}`;
    tokens.add(token);
    return token;
  };

  const grant = (form: URLSearchParams) =>
    Response.json({
      access_token: newToken(),
      scope: form.get("scope") ?? undefined,
      expires_in: options.expiresIn ?? 172_800,
      token_type: "Bearer",
      resource_server: "funcx_service",
      other_tokens: [],
      ...(form.get("grant_type") === "authorization_code" &&
        { refresh_token: REFRESH }),
    });

  const revoke = ({ body }: SeenRequest) => {
    const form = new URLSearchParams(body);
    const token = form.get("token");
    // an app without a secret says which one it is
    if (!token || !form.get("client_id")) {
      return Response.json({ error: "invalid_request", errors: [] }, { status: 400 });
    }
    tokens.delete(token);
    revoked.add(token);
    return Response.json({ active: false });
  };

  const token = ({ body, authorization }: SeenRequest) => {
    const form = new URLSearchParams(body);
    const basic = `Basic ${btoa(`${client.clientId}:${client.clientSecret}`)}`;
    switch (form.get("grant_type")) {
      case "client_credentials":
        if (authorization === basic && form.get("scope")?.includes("facd7ccc")) return grant(form);
        break;
      case "authorization_code":
        if (form.get("code") === CODE && (form.get("code_verifier")?.length ?? 0) >= 43) {
          return grant(form);
        }
        break;
      case "refresh_token":
        if (form.get("refresh_token") === REFRESH && !revoked.has(REFRESH)) return grant(form);
    }
    return Response.json({ error: "invalid_client", errors: [] }, { status: 401 });
  };

  const run = async (task: Task, buffer: string) => {
    await gate.promise;
    task.status = "running";
    // one that has the Python package, where the runner has made it
    const child = new Deno.Command(Deno.env.get("STREAMRELAY_TEST_PYTHON") ?? "python3", {
      args: [WORKER],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    workers.add(child);
    const writer = child.stdin.getWriter();
    await writer.write(
      new TextEncoder().encode(JSON.stringify({ buffer, pickled: options.pickled })),
    );
    await writer.close();
    const { stdout, code } = await child.output();
    workers.delete(child);
    const { result, exception } = code === 0
      ? JSON.parse(new TextDecoder().decode(stdout))
      : { exception: "parsl.executors.high_throughput.errors.WorkerLost: Task failure" };
    if (result !== undefined) results.push(result);
    Object.assign(task, {
      status: exception === undefined ? "success" : "failed",
      completion_t: String(Date.now() / 1000),
      ...(exception === undefined ? { result } : { exception }),
    });
  };

  const submit = (body: string) => {
    const asked = JSON.parse(body);
    const answer: Record<string, string[]> = {};
    for (const [id, payloads] of Object.entries<string[]>(asked.tasks)) {
      const code = functions.get(id);
      if (code === undefined) {
        return refusal("FUNCTION_NOT_FOUND", 404, `Function ${id} could not be resolved`);
      }
      answer[id] = payloads.map((payload) => {
        const task = { task_id: crypto.randomUUID(), status: "waiting-for-ep" };
        tasks.set(task.task_id, task);
        const done: Promise<void> = run(task, code + payload).finally(() => running.delete(done));
        running.add(done);
        return task.task_id;
      });
    }
    return Response.json({
      request_id: crypto.randomUUID(),
      task_group_id: crypto.randomUUID(),
      endpoint_id: endpoint,
      tasks: answer,
    });
  };

  const afterwards = async (answer: Response) => {
    if (options.silentSubmits) await gate.promise;
    return answer;
  };

  const register = (body: string) => {
    const { function_name, function_code, meta } = JSON.parse(body);
    const lacking = ["python_version", "sdk_version", "serde_identifier"]
      .filter((name) => typeof meta?.[name] !== "string");
    if (!function_name || !function_code || lacking.length > 0) {
      return Response.json({
        detail: lacking.map((name) => ({ loc: ["body", "meta", name], msg: "field required" })),
      }, { status: 422 });
    }
    const id = crypto.randomUUID();
    functions.set(id, function_code);
    return Response.json({ function_uuid: id });
  };

  const batch = (body: string) => {
    const ids: string[] = JSON.parse(body).task_ids;
    return Response.json({
      response: "batch",
      results: Object.fromEntries(ids.map((id) => [
        id,
        tasks.get(id) ?? { task_id: id, status: "failed", reason: "Unknown task id" },
      ])),
    });
  };

  const handle = (seen: SeenRequest): Response | Promise<Response> => {
    const special = options.answer?.(seen);
    if (special) return special;
    if (seen.what === "POST /v2/oauth2/token") return token(seen);
    if (seen.what === "POST /v2/oauth2/token/revoke") return revoke(seen);
    if (!tokens.has(seen.authorization.replace("Bearer ", ""))) {
      return refusal("INVALID_AUTH_TOKEN", 401, "Credentials are invalid");
    }
    switch (seen.what) {
      case "POST /v3/functions":
        return register(seen.body);
      case `POST /v3/endpoints/${endpoint}/submit`:
        return afterwards(submit(seen.body));
      case `GET /v2/endpoints/${endpoint}/status`:
        return Response.json({ status: options.endpointStatus ?? "online" });
      case "POST /v2/batch_status":
        return batch(seen.body);
    }
    const id = seen.what.split("/")[3];
    return refusal("ENDPOINT_NOT_FOUND", 404, `Endpoint ${id} could not be resolved`);
  };

  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const seen = {
        what: `${request.method} ${new URL(request.url).pathname}`,
        body: await request.text(),
        authorization: request.headers.get("authorization") ?? "",
      };
      requests.push(seen);
      return handle(seen);
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    endpoint,
    client,
    requests,
    results,
    newToken,
    register(name, source) {
      const id = crypto.randomUUID();
      const buffer = `st\n${name}:${source}`;
      functions.set(id, `${[...buffer].length}\n${buffer}`);
      return id;
    },
    release: gate.resolve,
    revoke: () => tokens.clear(),
    forgetFunctions: () => functions.clear(),
    killWorkers() {
      for (const worker of workers) worker.kill("SIGKILL");
    },
    async idle() {
      await Promise.all(running);
    },
    async [Symbol.asyncDispose]() {
      gate.resolve();
      for (const worker of workers) worker.kill("SIGKILL");
      await Promise.all(running);
      await server.shutdown();
    },
  };
}

/** The code that a person would copy from the page. */
export const PAGE_CODE = CODE;

function refusal(code: string, status: number, detail: string): Response {
  return Response.json({
    status: "Failed",
    code,
    error_args: [],
    http_status_code: status,
    detail,
    reason: detail,
  }, { status });
}
