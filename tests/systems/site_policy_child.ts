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

const { kind, config, array } = JSON.parse(await new Response(Deno.stdin.readable).text());
let timings: Timings | undefined;

class Watched extends LocalExecutor {
  protected override watch(id: string, listener: ReportListener, config?: LocalConfig): JobWatch {
    timings = config?.timings;
    return super.watch(id, listener);
  }
}

/** The texts of an array's tasks. */
async function arrayOf(tasks: string): Promise<string[]> {
  const texts: Promise<string>[] = [];
  const slurm = new SlurmExecutor(config);
  for await (const [, stream] of slurm.streamAll({ text: "cat" }, "hello", { array: tasks })) {
    texts.push(stream.text());
  }
  return await Promise.all(texts);
}

const executor = kind === "slurm" ? new SlurmExecutor(config) : new Watched(config);
try {
  if (array !== undefined) {
    console.log(JSON.stringify({ texts: await arrayOf(array) }));
    Deno.exit();
  }
  const text = await executor.stream({ text: "cat" }, "hello").text();
  console.log(JSON.stringify({ text, every: timings?.pollEvery }));
} catch (error) {
  console.log(JSON.stringify(StreamError.from(error)));
}
