/**
 * Finds out which protocol gets through: v2, v1 with a relay like Python's, or plain POST.
 *
 * @module
 */
import { StreamError } from "../stream/mod.ts";
import type { ResolvedOptions } from "./client_options.ts";
import { ControlClient } from "./control_client.ts";
import { HttpProducerLink } from "./http_producer_link.ts";
import type { Outbox } from "./outbox.ts";
import type { ProducerEvents, ProducerIdentity, ProducerLink } from "./producer_link.ts";
import { V1ProducerLink } from "./v1_producer_link.ts";
import { V2ProducerLink } from "./v2_producer_link.ts";

/**
 * Begins with v2. A relay whose WebSockets can't be opened while it answers to a POST stands
 * behind something that lets no WebSocket through: then it goes on by POST. Nothing was sent by then, so
 * nothing has to be carried over; once a WebSocket was accepted it stays with WebSockets.
 */
export class AutoProducerLink implements ProducerLink {
  #options: ResolvedOptions;
  #identity: ProducerIdentity;
  #outbox: Outbox;
  #events: ProducerEvents;
  #link: ProducerLink;
  #mayPost: boolean;
  #probing = false;
  #answersPost = false;
  #closed = false;

  /**
   * @param options The client's options.
   * @param identity Who is writing.
   * @param outbox Where the records come from.
   * @param events What to call back.
   * @param mayPost Whether POST may be used.
   */
  constructor(
    options: ResolvedOptions,
    identity: ProducerIdentity,
    outbox: Outbox,
    events: ProducerEvents,
    mayPost: boolean,
  ) {
    this.#options = options;
    this.#identity = identity;
    this.#outbox = outbox;
    this.#events = events;
    this.#mayPost = mayPost;
    this.#link = new V2ProducerLink(options, identity, outbox, {
      ...events,
      ready: () => {
        this.#mayPost = false;
        events.ready();
      },
      failed: (error) => void this.#failed(error),
      legacy: () => this.#become(new V1ProducerLink(options, outbox, events)),
      unreached: () => void this.#unreached(),
    });
  }

  get pending(): number {
    return this.#link.pending;
  }

  get maxMessage(): number {
    return this.#link.maxMessage;
  }

  start(): void {
    this.#link.start();
  }

  pump(): void {
    this.#link.pump();
  }

  close(): void {
    this.#closed = true;
    this.#link.close();
  }

  #become(link: ProducerLink): void {
    if (this.#closed) return;
    this.#mayPost = false;
    this.#link.close();
    this.#link = link;
    link.start();
  }

  /**
   * No WebSocket could be opened. A relay may just be starting: only when one fails after it has
   * answered to a POST is something in between to blame.
   */
  async #unreached(): Promise<void> {
    if (!this.#mayPost || this.#probing) return;
    if (this.#answersPost) return this.#post();
    this.#answersPost = await this.#probe();
  }

  async #failed(error: StreamError): Promise<void> {
    const mayHelp = this.#mayPost && error.code === "unreachable" && !this.#options.signal?.aborted;
    if (mayHelp && await this.#probe()) this.#post();
    else if (!this.#closed) this.#events.failed(error);
  }

  #post(): void {
    this.#become(
      new HttpProducerLink(this.#options, this.#identity, this.#outbox, this.#events),
    );
  }

  /** Whether a relay answers to a POST: that this one has no claim yet shows that it does. */
  async #probe(): Promise<boolean> {
    const { urls, channel, token = "", connectTimeout: timeout } = this.#options;
    this.#probing = true;
    try {
      const relay = new ControlClient({ url: urls.join(","), token, timeout });
      await relay.records(channel, { instance: this.#identity.instance, epoch: 1, seq: 0 });
      return true;
    } catch (error) {
      return !StreamError.from(error).retry;
    } finally {
      this.#probing = false;
    }
  }
}
