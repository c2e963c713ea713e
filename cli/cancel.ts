/** `streamrelay cancel`: ends a job. @module */
import type { Executor, SubmittedJob } from "../adapters/mod.ts";
import { ControlClient } from "../client/mod.ts";
import type { CancelAck } from "../stream/mod.ts";
import { channelAddress, RELAY_FLAGS } from "./channel_address.ts";
import type { Command } from "./command.ts";
import { endInWords } from "./end_in_words.ts";
import type { Given } from "./given.ts";
import { jobOf } from "./job_of.ts";
import { supervisorOf } from "./take_up.ts";
import { UsageError } from "./usage_error.ts";

/** Milliseconds that the end of a job which was cancelled may take to be written. */
const END_WITHIN = 10_000;

const SENTENCES: Record<CancelAck, string> = {
  scheduler: "was cancelled at the scheduler",
  producer: "was told to stop",
  recorded: "will be told to stop when it next reaches the relay",
};

/** The subcommand. */
export const command: Command = {
  name: "cancel",
  summary: "Cancel a job, also one that waits in the queue.",
  synopsis: "ID [FLAGS]",
  about: `ID is a channel, its beginning, or the scheduler's id, as ls shows. A channel that was not
made from here is named by --channel, with a token that may cancel: the relay then tells the
job, and whoever looks after it.`,
  flags: [
    { name: "reason", value: "TEXT", help: "Why, for whoever reads the stream" },
    { name: "channel", value: "ID", help: "A channel of somebody else's, in place of ID" },
    ...RELAY_FLAGS,
  ],
  positionals: 1,
  examples: [
    ["streamrelay cancel 4711", "at the relay and at the scheduler"],
    [
      "streamrelay cancel --url wss://relay.example.org --channel run-7 --token-file t",
      "with nothing but a token of the role cancel",
    ],
  ],
  exits: [[0, "the wish was taken"]],
  run,
};

async function run(given: Given): Promise<number> {
  if (given.typed("channel") !== undefined) return await cancelChannel(given);
  const stray = ["url", "token", "token-file"].find((name) => given.typed(name) !== undefined);
  if (stray) throw new UsageError(`Cannot use --${stray} with an id of ls: expected --channel`);
  const job = await jobOf(given);
  const reason = given.text("reason");
  const { relay: url, tokens, channel } = job;
  const control = new ControlClient({ url, token: tokens.consume });
  const { end } = await control.info(channel);
  if (end) {
    throw new UsageError(
      `Cannot cancel ${channel}: it has ended already (${await endInWords(job, end)})`,
    );
  }
  const executor = await supervisorOf(job);
  const ack = executor
    ? await cancelAtScheduler(executor, job, reason)
    : (await new ControlClient({ url, token: tokens.cancel })
      .cancel(channel, reason)).ack;
  console.log(`${job.jobId || channel} ${SENTENCES[ack]}`);
  return 0;
}

/** With what was typed alone: it is not known here which job that is. */
async function cancelChannel(given: Given): Promise<number> {
  if (given.positionals.length > 0) {
    throw new UsageError("Cannot use --channel with an id of ls: expected one of them");
  }
  const { url, token, channel } = await channelAddress(given, "cancel");
  const { ack } = await new ControlClient({ url, token }).cancel(channel, given.text("reason"));
  console.log(`${channel} ${SENTENCES[ack]}`);
  return 0;
}

/** The end is written by whoever looks after the job, which may be this process alone. */
async function cancelAtScheduler(
  executor: Executor,
  job: SubmittedJob,
  reason: string | undefined,
): Promise<CancelAck> {
  const stream = executor.attach(job);
  const ack = await stream.cancel(reason);
  let timer: ReturnType<typeof setTimeout> | undefined;
  await Promise.race([
    stream.result,
    new Promise((resolve) => timer = setTimeout(resolve, END_WITHIN)),
  ]);
  clearTimeout(timer);
  return ack;
}
