/**
 * A program that uses the library: what stdin says is streamed, and how it ended is printed, with the
 * intervals that the job was watched in.
 *
 * @module
 */
import {
  type JobWatch,
  type LocalConfig,
  LocalExecutor,
  type ReportListener,
  SlurmExecutor,
  StreamError,
  type Timings,
} from "../../adapters/mod.ts";

const { kind, config } = JSON.parse(await new Response(Deno.stdin.readable).text());
let timings: Timings | undefined;

class Watched extends LocalExecutor {
  protected override watch(id: string, listener: ReportListener, config?: LocalConfig): JobWatch {
    timings = config?.timings;
    return super.watch(id, listener);
  }
}

const executor = kind === "slurm" ? new SlurmExecutor(config) : new Watched(config);
try {
  const text = await executor.stream({ text: "cat" }, "hello").text();
  console.log(JSON.stringify({ text, every: timings?.pollEvery }));
} catch (error) {
  console.log(JSON.stringify(StreamError.from(error)));
}
