/**
 * Globus Compute's web service, as far as executors use it.
 *
 * @module
 */
import type { ErrorCode } from "../../stream/error_code.ts";
import { StreamError } from "../../stream/stream_error.ts";
import type { AccessTokens } from "./access_tokens.ts";
import type { RemoteFunction } from "./remote_functions.ts";
import { RequestPace } from "./request_pace.ts";
import { serviceError } from "./service_error.ts";
import { functionCode } from "./wire_format.ts";

/** Most tasks to ask about in one request; the SDK asks about as many. */
const BATCH = 128;

/** The most that the service takes in one request, in bytes. */
const MAX_REQUEST = 10 * 1024 * 1024;

/** One task, as the service tells of it. */
export interface TaskStatus {
  /** `success`, `failed`, or where it is. */
  status?: string;
  /** What the function returned, packed. */
  result?: string;
  /** The traceback of what was raised. */
  exception?: string;
  /** Why it failed, or is not known. */
  reason?: string;
  /** When it ended, in seconds since 1970. */
  completion_t?: string;
}

/** A task to submit. */
export interface TaskRequest {
  /** The function. */
  functionUuid: string;
  /** Its arguments, packed. */
  payload: string;
  /** What the result should come as. */
  resultSerializers?: readonly string[];
  /** Variables of the endpoint's template. */
  userEndpointConfig?: Record<string, unknown>;
  /** What an MPI engine is asked for. */
  resourceSpecification?: Record<string, unknown>;
}

/** Who may call a registered function. */
export interface Sharing {
  /** Everybody. */
  public?: boolean;
  /** The members of a Globus group, by its id. */
  group?: string;
}

/** Where the service is, and who asks. */
export interface ComputeServiceOptions {
  /** Its URL. */
  url: string;
  /** Credentials. */
  tokens: AccessTokens;
  /** Milliseconds an answer may take. */
  timeout: number;
  /** Waits before each request. */
  pace?: RequestPace;
}

interface Request {
  action: string;
  body?: unknown;
  otherwise?: ErrorCode;
  /** What to add where no answer came. */
  unanswered?: string;
}

/** The web service. Nothing is sent twice, except behind a token that was refused. */
export class ComputeService {
  #options: ComputeServiceOptions;
  #pace: RequestPace;

  /** @param options Where it is, and who asks. */
  constructor(options: ComputeServiceOptions) {
    this.#options = options;
    // the documented limit of a client
    this.#pace = options.pace ?? new RequestPace(20, 10_000);
  }

  /**
   * Resolves once there is a token.
   *
   * @throws {StreamError} `unauthorized` where there is no login, or Globus does not take it.
   */
  async ready(): Promise<void> {
    await this.#options.tokens.get();
  }

  /**
   * Registers a function.
   *
   * @param remote The function.
   * @param sharing Who else may call it; nobody by default.
   * @returns Its id.
   */
  async registerFunction(remote: RemoteFunction, sharing: Sharing = {}): Promise<string> {
    const { name, source, description } = remote;
    const answer = await this.#ask<{ function_uuid?: unknown }>("/v3/functions", {
      action: `register function ${name}`,
      otherwise: "submit_failed",
      body: {
        function_name: name,
        function_code: functionCode(name, source),
        description,
        ...(sharing.public !== undefined && { public: sharing.public }),
        ...(sharing.group !== undefined && { group: sharing.group }),
        meta: { python_version: "3.11.0", sdk_version: "4.15.0", serde_identifier: "st" },
      },
    });
    return id(answer.function_uuid, "the function's id");
  }

  /**
   * Submits one task. The service has no way to recognize a repeated submit, so it is never repeated.
   *
   * @param endpoint The endpoint's id.
   * @param task The task.
   * @returns The task's id.
   * @throws {StreamError} As the service refuses; `submit_failed` also where no answer came.
   */
  async submit(endpoint: string, task: TaskRequest): Promise<string> {
    const { functionUuid, payload, resultSerializers } = task;
    const answer = await this.#ask<{ tasks?: Record<string, unknown[]> }>(
      `/v3/endpoints/${endpoint}/submit`,
      {
        action: "run the task",
        otherwise: "submit_failed",
        unanswered:
          "; the task may have been taken and is not sent again, and should it start, it ends at once",
        body: {
          tasks: { [functionUuid]: [payload] },
          create_queue: false,
          ...(resultSerializers && { result_serializers: resultSerializers }),
          ...(task.userEndpointConfig && { user_endpoint_config: task.userEndpointConfig }),
          ...(task.resourceSpecification && { resource_specification: task.resourceSpecification }),
        },
      },
    );
    return id(answer.tasks?.[functionUuid]?.[0], "the task's id");
  }

  /**
   * Asks about tasks, up to 128 a request. A result may be told only once.
   *
   * @param ids Their ids.
   * @returns What is known of each.
   */
  async statuses(ids: readonly string[]): Promise<Map<string, TaskStatus>> {
    const statuses = new Map<string, TaskStatus>();
    for (let at = 0; at < ids.length; at += BATCH) {
      const { results } = await this.#ask<{ results?: Record<string, TaskStatus> }>(
        "/v2/batch_status",
        { action: "tell about tasks", body: { task_ids: ids.slice(at, at + BATCH) } },
      );
      for (const [id, status] of Object.entries(results ?? {})) statuses.set(id, status);
    }
    return statuses;
  }

  /**
   * Asks how an endpoint is.
   *
   * @param endpoint Its id.
   * @returns `online`, `offline`, or another word of the service's.
   */
  async endpointStatus(endpoint: string): Promise<string | undefined> {
    const { status } = await this.#ask<{ status?: string }>(
      `/v2/endpoints/${endpoint}/status`,
      { action: "tell about the endpoint" },
    );
    return status;
  }

  async #ask<T>(path: string, request: Request): Promise<T> {
    const { action, otherwise = "upstream" } = request;
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    if (body !== undefined && new TextEncoder().encode(body).length > MAX_REQUEST) {
      throw new StreamError(
        "too_large",
        `Cannot ask Globus Compute to ${action}: the request is larger than ${MAX_REQUEST} bytes, expected a smaller script or smaller arguments`,
      );
    }
    const { tokens } = this.#options;
    const token = await tokens.get();
    let answer = await this.#send(path, request, body, token);
    if (answer.status === 401) {
      // refused before anything was done: this is no repetition
      const other = await tokens.renewed(token);
      if (other !== undefined) answer = await this.#send(path, request, body, other);
    }
    if (answer.status < 200 || answer.status > 299) {
      throw serviceError(action, answer.status, answer.text, otherwise);
    }
    try {
      return JSON.parse(answer.text);
    } catch (cause) {
      throw new StreamError(
        otherwise,
        `Cannot read the answer of Globus Compute to ${action}: expected JSON${
          request.unanswered ?? ""
        }`,
        { cause },
      );
    }
  }

  async #send(
    path: string,
    { action, otherwise = "upstream", unanswered = "" }: Request,
    body: string | undefined,
    token: string,
  ): Promise<{ status: number; text: string }> {
    const { url, timeout } = this.#options;
    await this.#pace.turn();
    try {
      const answer = await fetch(url + path, {
        method: body === undefined ? "GET" : "POST",
        body,
        // a redirect would take the token somewhere else
        redirect: "manual",
        signal: AbortSignal.timeout(timeout),
        headers: {
          accept: "application/json",
          authorization: `Bearer ${token}`,
          "user-agent": "streamrelay",
          ...(body !== undefined && { "content-type": "application/json" }),
        },
      });
      return { status: answer.status, text: await answer.text() };
    } catch (cause) {
      throw new StreamError(
        otherwise,
        `No answer of Globus Compute at ${url} when asked to ${action}: ${
          (cause as Error).message
        }${unanswered}`,
        { cause },
      );
    }
  }
}

function id(value: unknown, what: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw new StreamError(
    "submit_failed",
    `Cannot read the answer of Globus Compute: it lacks ${what}`,
  );
}
