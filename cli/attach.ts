/** `streamrelay attach`: takes a job up again, as if it had never been left. @module */
import type { SubmittedJob } from "../adapters/mod.ts";
import { ControlClient } from "../client/mod.ts";
import type { TokenStream } from "../stream/mod.ts";
import { cancelOnInterrupt } from "./cancel_on_interrupt.ts";
import type { Command } from "./command.ts";
import { deliver } from "./deliver.ts";
import type { Given } from "./given.ts";
import { jobOf } from "./job_of.ts";
import { supervisorOf, takeUp } from "./take_up.ts";

/** The subcommand. */
export const command: Command = {
  name: "attach",
  summary: "Take up a job from its first token: as logs, but Ctrl-C cancels it.",
  synopsis: "ID [--events]",
  about: `ID is a channel, its beginning, or the scheduler's id, as ls shows. A job that was
detached, or whose run was killed, is looked after again while this reads, as by run: on the
cluster it was submitted to. Leaving it otherwise than by Ctrl-C leaves the job alone.`,
  flags: [{ name: "events", help: "Print every event as a line of JSON" }],
  positionals: 1,
  examples: [["streamrelay attach 4711", "from its first token"]],
  exits: [
    [0, "the stream is complete"],
    [12, "it ended with an exit code or a signal; its stderr's end is shown"],
  ],
  run,
};

async function run(given: Given): Promise<number> {
  const job = await jobOf(given);
  const executor = await supervisorOf(job);
  const stream = executor?.attach(job) ?? await takeUp(job);
  // a reader alone has no say in the job
  const release = cancelOnInterrupt(executor ? stream : cancellation(job));
  try {
    return await deliver(stream, { events: given.on("events") });
  } finally {
    release();
  }
}

function cancellation({ relay: url, tokens, channel }: SubmittedJob): Pick<TokenStream, "cancel"> {
  const control = new ControlClient({ url, token: tokens.cancel });
  return { cancel: async (reason) => (await control.cancel(channel, reason)).ack };
}
