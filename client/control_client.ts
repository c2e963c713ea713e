/**
 * The relay's control API, as a client.
 *
 * @module
 */
import {
  type CancelAck,
  type CancelRequest,
  type ChannelEnd,
  type OnDisconnect,
  StreamError,
} from "../stream/mod.ts";
import type {
  ChannelStatus,
  CreateArrayOptions,
  CreateChannelOptions,
  CreatedArray,
  CreatedChannel,
  EndRequest,
  RecordsAnswer,
  RecordsRequest,
} from "./control_types.ts";
import { fromEnvironment } from "./environment.ts";
import { notARelay, refusalOf } from "./http_refusal.ts";
import { parseRelayUrls, toHttpUrl } from "./relay_url.ts";

/** Options of a {@linkcode ControlClient}. */
export interface ControlClientOptions {
  /** The relay, `ws(s)://` or `http(s)://`; several, separated by commas, are tried in turn. From the environment when missing. */
  url?: string;
  /** A token, or the relay's root secret. From the environment when missing; `""` is none. */
  token?: string;
  /** The `fetch` to use; the runtime's own by default. */
  fetch?: typeof fetch;
  /** Milliseconds an answer may take; 30,000 by default. */
  timeout?: number;
  /** Breaks every request off when it fires. */
  signal?: AbortSignal;
}

interface Request {
  method?: string;
  json?: unknown;
  body?: BodyInit;
  headers?: Record<string, string>;
  /** Whether the relay answers the same to a POST. */
  alsoByPost?: boolean;
}

/**
 * Makes channels and looks after them. Every failure is a {@linkcode StreamError} with the relay's code;
 * a relay that doesn't answer is `unreachable`.
 *
 * @example
 * ```ts
 * import { ControlClient } from "./control_client.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const relay = new ControlClient({
 *   url: "ws://127.0.0.1:8765",
 *   token: "secret",
 *   // a stand-in; by default requests go to the relay
 *   fetch: () => Promise.resolve(Response.json({ id: "c1", incarnation: "i", tokens: {} })),
 * });
 * assertEquals((await relay.createChannel()).id, "c1");
 * ```
 */
export class ControlClient {
  /** The relays, in their WebSocket form. */
  readonly urls: readonly string[];
  #options: ControlClientOptions;
  #token?: string;

  /**
   * Makes a client; nothing is sent yet.
   *
   * @param options Relay, token, `fetch`, time-out.
   * @throws {StreamError} `bad_request` for a URL that is missing or can't be one of a relay.
   */
  constructor(options: ControlClientOptions = {}) {
    const found = fromEnvironment();
    const url = options.url ?? found.url;
    if (!url) {
      throw new StreamError(
        "bad_request",
        "Cannot connect: no relay URL was given, expected `url` or STREAMRELAY_URL",
      );
    }
    this.urls = parseRelayUrls(url);
    this.#token = (options.token ?? found.token) || undefined;
    this.#options = options;
  }

  /**
   * Makes a channel.
   *
   * @param options Its name, lifetime, lease; all optional.
   * @returns Its id and incarnation, and a token for each role.
   */
  async createChannel(
    options: CreateChannelOptions = {},
  ): Promise<CreatedChannel> {
    return await this.#json("/v1/channels", { json: options });
  }

  /**
   * Makes the channels of a job array, all of them or none. Their job holds one token for all.
   *
   * @param options The tasks; the rest as for {@linkcode ControlClient.createChannel}.
   * @returns The channels, named `<id>-<task>`.
   */
  async createArray(options: CreateArrayOptions): Promise<CreatedArray> {
    return await this.#json("/v1/arrays", { json: options });
  }

  /** What is known of a channel. */
  async info(id: string): Promise<ChannelStatus> {
    return await this.#json(at(id), { alsoByPost: true });
  }

  /**
   * The relay's channels, oldest first.
   *
   * @param prefix Only those whose name starts so.
   */
  async list(prefix?: string): Promise<ChannelStatus[]> {
    const query = prefix === undefined ? "" : `?prefix=${encodeURIComponent(prefix)}`;
    const { channels } = await this.#json<{ channels: ChannelStatus[] }>(
      `/v1/channels${query}`,
    );
    return channels;
  }

  /** Removes a channel with all it holds. */
  async delete(id: string): Promise<void> {
    await this.#call(at(id), { method: "DELETE" });
  }

  /**
   * Claims a channel for a producer that writes by {@linkcode ControlClient.records}.
   *
   * @param id The channel.
   * @param claim The producer's random instance id, and what it truly continues.
   */
  async claim(
    id: string,
    claim: { instance: string; continues?: { epoch: number; count: number } },
  ): Promise<
    {
      epoch: number;
      next: number;
      window: number;
      incarnation: string;
      cancel?: CancelRequest;
    }
  > {
    return await this.#json(at(id, "claim"), { json: claim });
  }

  /** Appends records under a claim; without a body it is a heartbeat. */
  async records(id: string, request: RecordsRequest): Promise<RecordsAnswer> {
    const { instance, epoch, seq, close, body, contentType, wait } = request;
    const headers: Record<string, string> = {
      "producer-id": instance,
      "producer-epoch": String(epoch),
      "producer-seq": String(seq),
      "content-type": contentType ?? "application/x-ndjson",
    };
    if (close !== undefined) headers["producer-close"] = close;
    if (wait !== undefined) headers.prefer = `wait=${wait}`;
    return await this.#json(at(id, "records"), {
      method: "POST",
      headers,
      body: body ?? "",
    });
  }

  /** Appends a `status` as supervisor. */
  async status(
    id: string,
    status: { state: string } & Record<string, unknown>,
  ): Promise<{ next: number }> {
    return await this.#json(at(id, "status"), { json: status });
  }

  /** Puts the input: one blob of at most 16 MiB. */
  async putInput(
    id: string,
    input: Uint8Array<ArrayBuffer> | string,
  ): Promise<void> {
    await this.#call(at(id, "input"), {
      method: "PUT",
      body: input,
      headers: { "content-type": "application/octet-stream" },
    });
  }

  /** The input; `undefined` where none was put. */
  async getInput(id: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      const answer = await this.#call(at(id, "input"), { alsoByPost: true });
      if (answer.status === 204) return undefined;
      return new Uint8Array(await this.#whole(answer.arrayBuffer()));
    } catch (error) {
      // a channel that is missing is an error, an input that is missing is not
      if (!(error instanceof StreamError) || error.code !== "not_found") {
        throw error;
      }
      await this.info(id);
      return undefined;
    }
  }

  /**
   * Renews the supervisor's lease.
   *
   * @param id The channel.
   * @param seconds How long from now.
   * @param onDisconnect What becomes of the job when the supervisor goes away.
   */
  async lease(
    id: string,
    seconds: number,
    onDisconnect?: OnDisconnect,
  ): Promise<
    { leaseUntil: number; cancel?: CancelRequest; end?: ChannelEnd }
  > {
    return await this.#json(at(id, "lease"), {
      json: { seconds, onDisconnect },
    });
  }

  /**
   * Ends a channel.
   *
   * @throws {StreamError} `conflict` or `ended` where it had its end; the relay names it in the details.
   */
  async end(id: string, end: EndRequest): Promise<{ end: ChannelEnd }> {
    return await this.#json(at(id, "end"), { json: end });
  }

  /**
   * Asks that the job stop.
   *
   * @param id The channel.
   * @param reason Why.
   * @returns The wish in force, and how far it got.
   */
  async cancel(
    id: string,
    reason?: string,
  ): Promise<{ cancel: CancelRequest; ack: CancelAck }> {
    return await this.#json(at(id, "cancel"), { json: { reason } });
  }

  /** How the relay is. */
  async health(): Promise<
    { status: string; active_channels: number; timestamp: string }
  > {
    return await this.#json("/health");
  }

  async #json<T>(path: string, request: Request = {}): Promise<T> {
    const answer = await this.#call(path, request);
    const text = await this.#whole(answer.text());
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw notARelay(answer, text, cause);
    }
  }

  async #call(path: string, request: Request = {}): Promise<Response> {
    const { json, headers = {} } = request;
    const body = json === undefined ? request.body : JSON.stringify(json);
    if (json !== undefined) headers["content-type"] = "application/json";
    if (this.#token !== undefined) {
      headers.authorization = `Bearer ${this.#token}`;
    }
    const method = request.method ?? (json === undefined ? "GET" : "POST");
    const answer = await this.#reach(path, { method, headers, body });
    if (answer.ok) return answer;
    const failure = refusalOf(answer, await this.#whole(answer.text()));
    const isForbidden = answer.status === 403 || answer.status === 405;
    if (request.alsoByPost && isForbidden && failure.code === "unreachable") {
      // not the relay's answer, but that of a proxy that lets only POST through
      return await this.#call(path, { method: "POST" });
    }
    throw failure;
  }

  /** Tries the relays in turn. */
  async #reach(path: string, init: RequestInit): Promise<Response> {
    const { fetch = globalThis.fetch, timeout = 30_000, signal } = this.#options;
    let failure: unknown;
    for (const url of this.urls) {
      const patience = AbortSignal.timeout(timeout);
      try {
        return await fetch(toHttpUrl(url) + path, {
          ...init,
          signal: signal === undefined ? patience : AbortSignal.any([patience, signal]),
        });
      } catch (error) {
        if (signal?.aborted) {
          throw StreamError.from(signal.reason, "cancelled", "Broken off: ");
        }
        failure = patience.aborted ? new Error(`no answer within ${timeout} ms`) : error;
      }
    }
    throw this.#unreachable(failure);
  }

  /** The body of an answer, which may break off in the middle. */
  async #whole<T>(body: Promise<T>): Promise<T> {
    try {
      return await body;
    } catch (error) {
      const { signal } = this.#options;
      if (signal?.aborted) throw StreamError.from(signal.reason, "cancelled", "Broken off: ");
      throw this.#unreachable(error);
    }
  }

  #unreachable(cause: unknown): StreamError {
    const relay = this.urls.join(" or ");
    return new StreamError("unreachable", `Cannot reach relay ${relay}: ${reasonOf(cause)}`, {
      cause,
    });
  }
}

function at(id: string, what?: string): string {
  const path = `/v1/channels/${encodeURIComponent(id)}`;
  return what === undefined ? path : `${path}/${what}`;
}

/** Node's `fetch` says "fetch failed" and has the reason in the cause. */
function reasonOf(failure: unknown): string {
  const { message, cause } = failure as Partial<Error>;
  const inner = (cause as Partial<Error> | undefined)?.message;
  return inner || message || String(failure);
}
