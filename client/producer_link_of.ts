/** @module */
import { AutoProducerLink } from "./auto_producer_link.ts";
import type { ResolvedOptions } from "./client_options.ts";
import { HttpProducerLink } from "./http_producer_link.ts";
import type { Outbox } from "./outbox.ts";
import type { ProducerEvents, ProducerIdentity, ProducerLink } from "./producer_link.ts";
import type { ProducerOptions } from "./producer_options.ts";
import { V1ProducerLink } from "./v1_producer_link.ts";

/**
 * What carries a producer's records.
 *
 * @param protocol What was asked for.
 * @param options The client's options.
 * @param identity Who is writing.
 * @param outbox Where the records come from.
 * @param events What to call back.
 * @returns The link; it begins when it is started.
 */
export function producerLinkOf(
  protocol: NonNullable<ProducerOptions["protocol"]>,
  options: ResolvedOptions,
  identity: ProducerIdentity,
  outbox: Outbox,
  events: ProducerEvents,
): ProducerLink {
  if (protocol === "v1") return new V1ProducerLink(options, outbox, events);
  if (protocol === "http") return new HttpProducerLink(options, identity, outbox, events);
  return new AutoProducerLink(options, identity, outbox, events, protocol === "auto");
}
