/**
 * A process that submits a job to Slurm and reads it, for tests that kill it. Script and configuration
 * come as a JSON text on stdin; what happens goes to stdout, one JSON text a line.
 *
 * @module
 */
import { type SlurmConfig, SlurmExecutor } from "../../adapters/mod.ts";

if (import.meta.main) {
  const { script, config }: { script: string; config: SlurmConfig } = await new Response(
    Deno.stdin.readable,
  ).json();
  const stream = new SlurmExecutor(config).stream({ text: script });
  for await (const event of stream.events()) {
    console.log(JSON.stringify({ ...event, job: stream.job.id }));
  }
  Deno.exit(0);
}
