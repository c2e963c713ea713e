/**
 * Who answers for a channel's job: supervisors that are connected, the lease that outlives them, and the
 * clocks that run when a supervisor or a producer is away.
 *
 * @module
 */
import type { CancelRequest, ChannelEnd, OnDisconnect, StreamError } from "../stream/mod.ts";
import { Deadline } from "./deadline.ts";
import type { Failure } from "./records.ts";

/** What is told of a producer. */
export type ProducerStatus = { state: string } & Record<string, unknown>;

/** A supervisor that is connected now. */
export interface SupervisorLink {
  /** Tells it what the producer does. */
  status(status: ProducerStatus): void;
  /** Tells it that a cancel was asked for. */
  cancel(cancel: CancelRequest): void;
  /** Tells it the end. */
  ended(end: ChannelEnd): void;
  /** Tells it that the channel is gone, or the relay about to go. */
  gone(why: StreamError): void;
}

/** What a {@linkcode Supervision} is to know and do. */
export interface SupervisionOptions {
  /** Milliseconds a producer may be away before its stream ends, where nobody supervises. */
  producerGrace: number;
  /** Milliseconds a lease still counts after it ran out. */
  leaseGrace: number;
  /** Until when the lease ran when the channel was last live, in milliseconds since 1970; 0 without one. */
  leaseUntil: number;
  /** What the supervisor wanted done when it goes away. */
  onDisconnect: OnDisconnect;
  /** Called when a producer stayed away, or nobody judged its failure, for too long. */
  lost(failure: Failure): void;
  /** Called when the supervisor stayed away for so many seconds. */
  abandoned(seconds: number): void;
}

const LOST: Failure = {
  code: "producer_lost",
  message: "The producer went away without saying how the stream ended",
};

/** The supervision of one live channel. */
export class Supervision {
  /** Until when the lease runs, in milliseconds since 1970; 0 without one. */
  leaseUntil: number;
  /** What the supervisor wants done when it goes away. */
  onDisconnect: OnDisconnect;
  #options: SupervisionOptions;
  #links = new Set<SupervisorLink>();
  #loss = new Deadline();
  #abandoned = new Deadline();
  #producerGoneAt = 0;
  #failure?: Failure;
  #failing?: ProducerStatus;
  #over = false;

  /** @param options What it is to know and do. */
  constructor(options: SupervisionOptions) {
    this.#options = options;
    this.leaseUntil = options.leaseUntil;
    this.onDisconnect = options.onDisconnect;
  }

  /** The supervisors that are connected. */
  get links(): ReadonlySet<SupervisorLink> {
    return this.#links;
  }

  /** Whether a supervisor is connected, or a lease of one that was still counts. */
  get alive(): boolean {
    return this.#links.size > 0 ||
      (this.leaseUntil > 0 && Date.now() < this.leaseUntil + this.#options.leaseGrace);
  }

  /** Whether a clock runs. */
  get armed(): boolean {
    return this.#loss.armed || this.#abandoned.armed;
  }

  /** Whether the producer went without an end and has not come back. */
  get producerAway(): boolean {
    return this.#producerGoneAt > 0;
  }

  /** Takes a supervisor in; what its predecessor's going had started is stopped. */
  attach(link: SupervisorLink): void {
    this.#links.add(link);
    this.#abandoned.clear();
    this.#loss.clear();
  }

  /**
   * Lets a supervisor go.
   *
   * @param link The supervisor.
   * @returns Whether it was the last.
   */
  detach(link: SupervisorLink): boolean {
    return this.#links.delete(link) && this.#links.size === 0;
  }

  /** Sets the lease; `until` 0 gives it up. */
  renew(until: number, onDisconnect?: OnDisconnect): void {
    this.leaseUntil = until;
    if (onDisconnect) this.onDisconnect = onDisconnect;
    this.#armLoss();
  }

  /**
   * Starts what the supervisor wanted done when it goes away.
   *
   * @param claimed Whether a producer has ever connected.
   */
  leave(claimed: boolean): void {
    this.#abandoned.clear();
    const { pending = "keep", running = 60 } = this.onDisconnect;
    const after = claimed ? running : pending;
    if (after === "keep" || this.#over) return;
    this.#abandoned.set(Date.now() + after * 1000, () => this.#options.abandoned(after));
  }

  /** What a supervisor that attaches is told of a producer that failed, until another comes. */
  get failing(): ProducerStatus | undefined {
    return this.#failing;
  }

  /** Tells every supervisor what the producer does. */
  notify(status: ProducerStatus): void {
    for (const link of this.#links) link.status(status);
  }

  /**
   * Notes that the producer is there.
   *
   * @param first Whether it is the channel's first: a job that starts after its supervisor went has that
   * supervisor's seconds to run.
   */
  producerCame(first: boolean): void {
    if (first && this.#links.size === 0 && this.leaseUntil > 0) this.leave(true);
    this.#producerGoneAt = 0;
    this.#failure = undefined;
    this.#failing = undefined;
    this.#loss.clear();
  }

  /** Notes that the producer failed; it is for the supervisor to judge, as long as there is one. */
  producerFailed(failure: Failure): void {
    this.#failure = failure;
    this.#armLoss();
  }

  /**
   * Tells supervisors of a failure; those that attach later are told too, for what the log shows them
   * lacks the session that opens a sealed one.
   *
   * @param failure What {@linkcode producerFailed} was given; nothing is told of one that is past.
   * @param status What to tell.
   * @param news Whether those that are connected have not heard it yet.
   */
  tellFailure(failure: Failure, status: ProducerStatus, news: boolean): void {
    if (this.#failure !== failure) return;
    this.#failing = status;
    if (news) this.notify(status);
  }

  /** Notes that the producer went without an end. */
  producerWent(): void {
    this.#producerGoneAt = Date.now();
    this.#armLoss();
  }

  /** Stops every clock: the channel has its end, or is gone. */
  finish(): void {
    this.#over = true;
    this.#loss.clear();
    this.#abandoned.clear();
  }

  /**
   * A producer that is away ends as lost, once its grace and any lease are over; one that failed ends as
   * it said, once the lease is over without a verdict.
   */
  #armLoss(): void {
    const waiting = this.producerAway || this.#failure !== undefined;
    if (!waiting || this.#links.size > 0 || this.#over) return this.#loss.clear();
    const { producerGrace, leaseGrace, lost } = this.#options;
    const leased = this.leaseUntil > 0 ? this.leaseUntil + leaseGrace : 0;
    const grace = this.#failure ? 0 : this.#producerGoneAt + producerGrace;
    this.#loss.set(Math.max(grace, leased), () => lost(this.#failure ?? LOST));
  }
}
