/** A program that uses the library: what stdin says is streamed, and how it ended is printed. @module */
import { LocalExecutor, SlurmExecutor, StreamError } from "../../adapters/mod.ts";

const { kind, config } = JSON.parse(await new Response(Deno.stdin.readable).text());
const executor = kind === "slurm" ? new SlurmExecutor(config) : new LocalExecutor(config);
try {
  console.log(JSON.stringify({ text: await executor.stream({ text: "cat" }, "hello").text() }));
} catch (error) {
  console.log(JSON.stringify(StreamError.from(error)));
}
