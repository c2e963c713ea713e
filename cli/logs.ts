/** `streamrelay logs`: reads the stream of a job that was submitted before. @module */
import type { Command } from "./command.ts";
import { deliver } from "./deliver.ts";
import type { Given } from "./given.ts";
import { jobOf } from "./job_of.ts";
import { onInterrupt } from "./on_interrupt.ts";
import { takeUp } from "./take_up.ts";

/** The subcommand. */
export const command: Command = {
  name: "logs",
  summary: "Print the stream of a job from its start, and follow it to its end.",
  synopsis: "ID [FLAGS]",
  about: `ID is a channel, its beginning, or the scheduler's id, as ls shows. Ctrl-C leaves and
cancels nothing. A relay keeps a stream for its --retention after its end.`,
  flags: [
    { name: "events", help: "Print every event as a line of JSON" },
    { name: "from", value: "N", help: "First record wanted; 0 by default" },
  ],
  positionals: 1,
  examples: [["streamrelay logs 4711", "what job 4711 has printed, and prints"]],
  exits: [[0, "the stream is complete"]],
  run,
};

async function run(given: Given): Promise<number> {
  const job = await jobOf(given);
  const stream = await takeUp(job, given.number("from"));
  const release = onInterrupt(() => Deno.exit(130));
  try {
    return await deliver(stream, { events: given.on("events") });
  } finally {
    release();
  }
}
