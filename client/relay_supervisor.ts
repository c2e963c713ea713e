/**
 * The connection of whoever submitted the job.
 *
 * @module
 */
import {
  type CancelRequest,
  type ChannelEnd,
  type Controls,
  type OnDisconnect,
  type RelayHello,
  StreamError,
} from "../stream/mod.ts";
import { type ClientOptions, resolveOptions } from "./client_options.ts";
import { V2Session } from "./v2_session.ts";

/** Options of a {@linkcode RelaySupervisor}. */
export interface SupervisorOptions extends ClientOptions {
  /** Seconds the lease lasts after the connection is gone; the relay's default is 600. */
  lease?: number;
  /** What becomes of the job when the connection is gone. */
  onDisconnect?: OnDisconnect;
  /** Called when the relay tells what the producer does: `connected`, `disconnected`, `failing` … */
  onStatus?: (status: Controls["status"]) => void;
  /** Called when somebody asks for a cancel, or has asked before. */
  onCancel?: (cancel: Partial<CancelRequest>) => void;
  /** Called when the channel has its end. Nothing is called after it. */
  onEnd?: (end: ChannelEnd) => void;
  /** Called when the connection is lost for good. Nothing is called after it. */
  onFailed?: (error: StreamError) => void;
}

/** Statuses kept while there is no connection. */
const MAX_KEPT = 64;

/**
 * Watches over a job: holds the lease on its channel, tells readers how it does, and hears of its producer
 * and of cancels. It speaks v2 only.
 *
 * @example
 * ```ts
 * import { serveRelay } from "../server/mod.ts";
 * import { ControlClient, RelaySupervisor } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const token = "a-long-random-secret";
 * const relay = await serveRelay({ port: 0, secret: token });
 * const control = new ControlClient({ url: relay.url, token });
 * const { id: channel } = await control.createChannel();
 *
 * const cancelled = new Promise<string | undefined>((resolve) => {
 *   const supervisor = new RelaySupervisor({
 *     url: relay.url,
 *     channel,
 *     token,
 *     onCancel: ({ reason }) => {
 *       resolve(reason);
 *       supervisor.close();
 *     },
 *   });
 *   supervisor.status({ state: "queued", position: 3 });
 *   supervisor.connect().then(() => control.cancel(channel, "enough"));
 * });
 * assertEquals(await cancelled, "enough");
 * await relay.close();
 * ```
 */
export class RelaySupervisor {
  #session: V2Session;
  #options: SupervisorOptions;
  #kept: Controls["status"][] = [];
  #started = false;
  #connected: Promise<void>;
  #resolve!: () => void;
  #reject!: (error: StreamError) => void;
  #over?: StreamError;
  #cancelTold = false;

  /**
   * Makes a supervisor; `connect()` connects it.
   *
   * @param options Relay, channel, credential, lease, callbacks; what is missing comes from the
   * environment.
   * @throws {StreamError} `bad_request` for a missing or malformed URL or channel.
   */
  constructor(options: SupervisorOptions = {}) {
    this.#options = options;
    this.#connected = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // told by `connect()` to whoever asks, and by onFailed
    this.#connected.catch(() => {});
    const { lease, onDisconnect } = options;
    this.#session = new V2Session(resolveOptions(options), "supervise", {
      hello: () => ({
        ...(lease !== undefined && { lease }),
        ...(onDisconnect !== undefined && { onDisconnect }),
      }),
      accepted: (hello) => this.#accepted(hello),
      control: ({ status, cancel, end }) => {
        if (status !== undefined) options.onStatus?.(status);
        else if (cancel !== undefined) this.#cancelled(cancel);
        else if (end !== undefined) this.#ended(end);
      },
      failed: (error) => {
        if (this.#over !== undefined) return;
        this.#over = error;
        this.#reject(error);
        options.onFailed?.(error);
      },
    });
  }

  /** The channel's incarnation, once connected. */
  get incarnation(): string | undefined {
    return this.#session.incarnation;
  }

  /**
   * Connects, and resolves once the relay has accepted.
   *
   * @throws {StreamError} What made connecting fail for good.
   */
  connect(): Promise<void> {
    if (!this.#started) {
      this.#started = true;
      this.#session.socket.start();
    }
    return this.#connected;
  }

  /**
   * Tells readers how the job does. Without a connection the last 64 are kept and sent once there is one;
   * one that is under way when the connection breaks is lost.
   *
   * @param status The state, and what more is known.
   * @throws {StreamError} When it is over: the failure, or `ended`.
   */
  status(status: Controls["status"]): void {
    if (this.#over !== undefined) throw this.#over;
    if (this.#session.socket.isReady) this.#session.send({ status });
    else {
      this.#kept.push(status);
      if (this.#kept.length > MAX_KEPT) this.#kept.shift();
    }
  }

  /** Has the lease last so many seconds after the connection is gone. */
  renew(seconds: number): void {
    this.#options.lease = seconds;
    this.#session.send({ lease: { seconds } });
  }

  /** Lets go of the connection, which starts what `onDisconnect` says. */
  close(): void {
    this.#over ??= new StreamError("ended", "The supervisor was closed");
    this.#reject(this.#over);
    this.#session.socket.close();
  }

  #accepted(hello: RelayHello): void {
    this.#resolve();
    for (const status of this.#kept.splice(0)) this.#session.send({ status });
    if (hello.cancel !== undefined) this.#cancelled(hello.cancel);
    if (hello.end !== undefined) this.#ended(hello.end);
  }

  /** A reconnect hears of the same cancel again. */
  #cancelled(cancel: Partial<CancelRequest>): void {
    if (this.#cancelTold) return;
    this.#cancelTold = true;
    this.#options.onCancel?.(cancel);
  }

  #ended(end: ChannelEnd): void {
    if (this.#over !== undefined) return;
    this.#over = new StreamError("ended", "The channel has its end");
    this.#session.socket.close();
    this.#options.onEnd?.(end);
  }
}
