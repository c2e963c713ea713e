/** `streamrelay attach`: takes a job up again, as if it had never been left. @module */
import { cancelOnInterrupt } from "./cancel_on_interrupt.ts";
import type { Command } from "./command.ts";
import { deliver } from "./deliver.ts";
import type { Given } from "./given.ts";
import { jobOf } from "./job_of.ts";
import { supervisorOf, takeUp } from "./take_up.ts";

/** The subcommand. */
export const command: Command = {
  name: "attach",
  summary: "Take up a job that was detached: as logs, but Ctrl-C cancels it.",
  synopsis: "ID [--events]",
  flags: [{ name: "events", help: "Print every event as a line of JSON" }],
  positionals: 1,
  examples: [["streamrelay attach 4711", "from its first token"]],
  exits: [[0, "the stream is complete"]],
  run,
};

async function run(given: Given): Promise<number> {
  const job = await jobOf(given);
  const stream = job.executor === "slurm" ? supervisorOf(job).attach(job) : await takeUp(job);
  const release = cancelOnInterrupt(stream);
  try {
    return await deliver(stream, { events: given.on("events") });
  } finally {
    release();
  }
}
