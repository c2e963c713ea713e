/**
 * Producers that POST: between two requests nothing is connected, so a clock says whether they are there.
 *
 * @module
 */
import { type CloseKind, StreamError } from "../../stream/mod.ts";
import type { Channel } from "../channel.ts";
import type { ProducerLink } from "../channel_links.ts";
import { Deadline } from "../deadline.ts";
import type { AppendBatch, AppendResult, Claim } from "../store/store.ts";

/** The HTTP producers of a relay. */
export class HttpProducers {
  #links = new Map<Channel, HttpLink>();
  #timeout: number;

  /** @param timeout Milliseconds without a request after which a producer counts as gone. */
  constructor(timeout: number) {
    this.#timeout = timeout;
  }

  /** Claims a channel for an instance, and counts it as connected. */
  async claim(
    channel: Channel,
    instance: string,
    continues?: { epoch: number; count: number },
  ): Promise<Claim> {
    const claim = await channel.claim(instance, continues);
    this.#connect(channel, instance, claim.epoch);
    return claim;
  }

  /**
   * Appends for a producer.
   *
   * @param channel The channel.
   * @param writer Instance, epoch and seq, as the request's headers say.
   * @param batch The records; none for a heartbeat.
   * @param close Set when the last record is the end.
   * @returns What the append did; for a heartbeat, where the claim stands.
   */
  async append(
    channel: Channel,
    writer: { id: string; epoch: number; seq: number },
    batch: AppendBatch,
    close?: CloseKind,
  ): Promise<AppendResult> {
    if (!channel.end) this.#connect(channel, writer.id, writer.epoch);
    const result = await channel.append(
      { origin: "producer", ...writer, span: batch.n },
      batch,
      close,
    );
    if (close) this.#links.get(channel)?.leave(false);
    return result;
  }

  /** Notes a sign of life. */
  heartbeat(channel: Channel, instance: string, epoch: number): void {
    if (!channel.end) this.#connect(channel, instance, epoch);
  }

  #connect(channel: Channel, instance: string, epoch: number): void {
    let link = this.#links.get(channel);
    if (link?.instance !== instance) {
      if (channel.producer && channel.producer.epoch > epoch) {
        throw new StreamError(
          "fenced",
          "A newer producer has claimed the channel",
        );
      }
      link = new HttpLink(
        channel,
        instance,
        epoch,
        () => this.#links.delete(channel),
      );
      this.#links.set(channel, link);
    }
    link.seen(this.#timeout);
  }
}

class HttpLink implements ProducerLink {
  readonly face = "http";
  readonly epoch: number;
  readonly instance: string;
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
    this.#forget();
    this.#detach(vanished);
  }

  cancel(): boolean {
    // it reads the wish from its next answer
    return false;
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
