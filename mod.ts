/**
 * Streams what a batch job prints while the job runs.
 *
 * A batch cluster runs a job to its end and hands back one result. Here the job talks while it runs: it
 * and your program both dial out to a relay, and meet there on a channel. Any program that reads a
 * prompt on stdin and prints text is a stream.
 *
 * On a login node, with nothing prepared (a relay is started where none runs):
 *
 * ```ts ignore
 * import { SlurmExecutor } from "jsr:@streamrelay/cli";
 *
 * const slurm = new SlurmExecutor({ partition: "gpu", gres: "gpu:1" });
 * for await (const token of slurm.stream("infer.sh", "What is a tide?")) {
 *   await Deno.stdout.write(new TextEncoder().encode(token));
 * }
 * ```
 *
 * Without a cluster the same runs as a process of this machine: `new LocalExecutor()`. Iterating throws
 * a {@linkcode StreamError} for every failing end, so that text which broke off can't pass for complete.
 *
 * @example Both ends in one program
 * ```ts
 * import { ControlClient, RelayConsumer, RelayProducer, serveRelay } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const relay = await serveRelay({ port: 0, secret: "a long random secret" });
 * const { url } = relay;
 * const control = new ControlClient({ url, token: "a long random secret" });
 * const { id: channel, tokens } = await control.createChannel();
 *
 * const producer = new RelayProducer({ url, channel, token: tokens.produce });
 * for (const word of ["Hello", " ", "world"]) await producer.token(word);
 * await producer.done();
 *
 * const consumer = new RelayConsumer({ url, channel, token: tokens.consume });
 * assertEquals(await consumer.stream().text(), "Hello world");
 * await relay.close();
 * ```
 *
 * `./client`, `./server`, `./adapters` and `./stream` are the same in parts: what a compute node
 * imports is `./client`, which loads neither the server nor any package. Run, this module is the
 * command `streamrelay`.
 *
 * @module
 */
export * from "./adapters/mod.ts";
export * from "./client/mod.ts";
export * from "./server/mod.ts";
export * from "./stream/mod.ts";

if (import.meta.main) await import("./cli.ts");
