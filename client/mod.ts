/**
 * Clients of a relay: {@linkcode RelayProducer} writes a channel, {@linkcode RelayConsumer} reads it,
 * {@linkcode RelaySupervisor} watches over its job, {@linkcode ControlClient} makes and ends channels.
 * Runs on Deno, Node ≥ 22, Bun and in browsers.
 *
 * @example
 * ```ts
 * import { fromEnvironment } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(fromEnvironment({ STREAMRELAY_URL: "wss://relay.example" }).url, "wss://relay.example");
 * ```
 *
 * @module
 */
export type {
  ClientOptions,
  EncryptionVersion,
  RelayAddress,
  RetryOptions,
} from "./client_options.ts";
export * from "./control_client.ts";
export type * from "./control_types.ts";
export * from "./environment.ts";
export type * from "./producer_options.ts";
export * from "./relay_consumer.ts";
export * from "./relay_producer.ts";
export * from "./relay_supervisor.ts";
export * from "./relay_url.ts";
export type { PipeSource } from "./text_source.ts";
