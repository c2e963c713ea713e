/**
 * Producers that POST: between two requests nothing is connected, so a clock says whether they are there.
 *
 * @module
 */
import { type CloseKind, StreamError } from "../../stream/mod.ts";
import type { AuditTrail } from "../audit.ts";
import type { Channel } from "../channel.ts";
import { Deadline } from "../deadline.ts";
import type { ProducerLink } from "../producer_link.ts";
import type { AppendBatch, AppendResult, Claim, Store } from "../store/store.ts";
import type { Grant } from "../tokens.ts";

/** The HTTP producers of a relay. */
export class HttpProducers {
  #links = new Map<Channel, HttpLink>();
  #timeout: number;
  #store: Store;
  #audit: AuditTrail;

  /**
   * @param timeout Milliseconds without a request after which a producer counts as gone.
   * @param store Where the claims are kept.
   * @param audit Where it is noted who comes and goes.
   */
  constructor(timeout: number, store: Store, audit: AuditTrail) {
    this.#timeout = timeout;
    this.#store = store;
    this.#audit = audit;
  }

  /** Claims a channel for an instance, and counts it as connected. */
  async claim(
    channel: Channel,
    grant: Grant,
    instance: string,
    continues?: { epoch: number; count: number },
  ): Promise<Claim> {
    const claim = await channel.claim(instance, continues);
    this.#connect(channel, grant, instance, claim.epoch);
    return claim;
  }

  /**
   * Appends for a producer.
   *
   * @param channel The channel.
   * @param grant What the producer's credential allows.
   * @param writer Instance, epoch and seq, as the request's headers say.
   * @param batch The records.
   * @param close Set when the last record is the end.
   * @returns What the append did.
   */
  async append(
    channel: Channel,
    grant: Grant,
    writer: { id: string; epoch: number; seq: number },
    batch: AppendBatch,
    close?: CloseKind,
  ): Promise<AppendResult> {
    const result = await channel.append(
      { origin: "producer", ...writer, span: batch.n },
      batch,
      close,
    );
    // only who holds the claim counts as connected: a stray request must not fence the real one
    if (close) this.#links.get(channel)?.leave(false);
    else if (!channel.end) this.#connect(channel, grant, writer.id, writer.epoch);
    return result;
  }

  /**
   * Notes a sign of life.
   *
   * @param channel The channel.
   * @param grant What the producer's credential allows.
   * @param instance The producer.
   * @param epoch The epoch of its claim.
   * @returns The seq wanted next of its claim.
   * @throws {StreamError} `fenced` or `conflict` when it does not hold the claim.
   */
  async heartbeat(
    channel: Channel,
    grant: Grant,
    instance: string,
    epoch: number,
  ): Promise<number> {
    const { claims } = await this.#store.info(channel.id);
    const claim = claims.find(({ producerId }) => producerId === instance);
    if (claim?.epoch !== epoch) {
      throw new StreamError(
        "conflict",
        `Cannot take heartbeat for epoch ${epoch}: this producer holds no such claim, expected a claim first`,
      );
    }
    if (claim.fenced) {
      throw new StreamError("fenced", "A newer producer has claimed the channel");
    }
    if (!channel.end) this.#connect(channel, grant, instance, epoch);
    return claim.next;
  }

  /**
   * Waits for what a producer is to hear at once: a cancel, or the end. One that is gone meanwhile is
   * waited for to the end of the patience, which is short.
   *
   * @param channel The channel.
   * @param patience Milliseconds after which there is none.
   */
  async news(channel: Channel, patience: number): Promise<void> {
    if (patience === 0 || channel.cancel || channel.end) return;
    const link = this.#links.get(channel);
    if (link === undefined) return;
    await new Promise<void>((resolve) => {
      const settle = () => {
        clearTimeout(timer);
        link.waiting.delete(settle);
        resolve();
      };
      const timer = setTimeout(settle, patience);
      link.waiting.add(settle);
    });
  }

  #connect(channel: Channel, grant: Grant, instance: string, epoch: number): void {
    let link = this.#links.get(channel);
    if (link?.instance !== instance) {
      const visit = this.#audit.enter(grant, channel.id, "produce", "http");
      link = new HttpLink(channel, instance, epoch, () => {
        this.#links.delete(channel);
        visit.leave();
      });
      this.#links.set(channel, link);
    }
    link.seen(this.#timeout);
  }
}

class HttpLink implements ProducerLink {
  readonly face = "http";
  readonly epoch: number;
  readonly instance: string;
  /** Those of its requests that wait for news. */
  readonly waiting: Set<() => void> = new Set();
  #deadline = new Deadline();
  #detach: (vanished: boolean) => void;
  #forget: () => void;
  #left = false;

  constructor(
    channel: Channel,
    instance: string,
    epoch: number,
    forget: () => void,
  ) {
    this.instance = instance;
    this.epoch = epoch;
    this.#forget = forget;
    this.#detach = channel.attachProducer(this);
  }

  seen(timeout: number): void {
    this.#deadline.set(Date.now() + timeout, () => this.leave(true));
  }

  leave(vanished: boolean): void {
    if (this.#left) return;
    this.#left = true;
    this.#deadline.clear();
    this.#tell();
    this.#forget();
    this.#detach(vanished);
  }

  cancel(): boolean {
    // it reads the wish from its next answer, which may wait for it already
    this.#tell();
    return false;
  }

  #tell(): void {
    for (const settle of [...this.waiting]) settle();
  }

  fence(): void {
    this.leave(false);
  }

  ended(): void {
    this.leave(false);
  }

  gone(): void {
    this.leave(false);
  }
}
