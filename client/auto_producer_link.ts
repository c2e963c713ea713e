/**
 * Finds out which protocol gets through: v2, v1 with a relay like Python's, or plain POST.
 *
 * @module
 */
import type { StreamError } from "../stream/mod.ts";
import type { ResolvedOptions } from "./client_options.ts";
import { ControlClient } from "./control_client.ts";
import { HttpProducerLink } from "./http_producer_link.ts";
import type { Outbox } from "./outbox.ts";
import type { ProducerEvents, ProducerIdentity, ProducerLink } from "./producer_link.ts";
import { V1ProducerLink } from "./v1_producer_link.ts";
import { V2ProducerLink } from "./v2_producer_link.ts";

/**
 * Begins with v2. A relay whose WebSockets can't be opened while its `/health` answers over HTTP stands
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
  #answersHttp = false;
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
   * No WebSocket could be opened. A relay may just be starting: only when one fails after `/health` has
   * answered is something in between to blame.
   */
  async #unreached(): Promise<void> {
    if (!this.#mayPost || this.#probing) return;
    if (this.#answersHttp) return this.#post();
    this.#answersHttp = await this.#probe();
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

  async #probe(): Promise<boolean> {
    const { urls, connectTimeout: timeout } = this.#options;
    this.#probing = true;
    try {
      const relay = new ControlClient({ url: urls.join(","), token: "", timeout });
      return (await relay.health()).status === "healthy";
    } catch {
      return false;
    } finally {
      this.#probing = false;
    }
  }
}
