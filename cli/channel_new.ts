/** `streamrelay channel new`: a channel for people who submit their own jobs. @module */
import { writeJobRecord } from "../adapters/job/job_record.ts";
import { shellQuote } from "../adapters/shell_quote.ts";
import { ControlClient, type CreatedChannel } from "../client/mod.ts";
import { RELAY_FLAGS, relayAccess } from "./channel_address.ts";
import type { Command } from "./command.ts";
import type { Given } from "./given.ts";

/** The subcommand. */
export const command: Command = {
  name: "channel new",
  summary: "Make a channel, for a job that you submit yourself.",
  synopsis: "[FLAGS]",
  about: `Prints the channel's id and tokens. The channel is remembered, so that consume, logs
and cancel of this user on this machine need no token for it.`,
  flags: [
    ...RELAY_FLAGS,
    { name: "id", value: "ID", help: "Its id; a random one by default" },
    {
      name: "ttl",
      value: "TIME",
      help: "How long it lives while nobody uses it; the relay's --channel-timeout by default",
    },
    { name: "keyed", help: "Its producer and its readers have a key of end-to-end encryption" },
    {
      name: "export",
      help: "Print what a job needs as shell exports, for eval",
    },
  ],
  examples: [
    ["streamrelay channel new --ttl 7d", "for a job that may wait a week"],
    [
      'eval "$(streamrelay channel new --export)" && sbatch --export=ALL job.sh',
      "the job finds the channel in its environment: `my-model | streamrelay produce`",
    ],
  ],
  run,
};

async function run(given: Given): Promise<number> {
  const { url, token } = await relayAccess(given);
  const control = new ControlClient({ url, token });
  const id = given.text("id");
  const ttl = given.seconds("ttl");
  const channel = await control.createChannel({
    ...(id !== undefined && { id }),
    ...(ttl !== undefined && { ttl }),
    ...(given.on("keyed") && { keyed: true }),
  });
  await writeJobRecord({
    channel: channel.id,
    incarnation: channel.incarnation,
    jobId: "",
    executor: "own",
    relay: url,
    script: "",
    submitted: Date.now(),
    tokens: channel.tokens,
    detached: true,
  });
  console.log(given.on("export") ? exports(url, channel) : words(url, channel));
  return 0;
}

function exports(url: string, { id, tokens }: CreatedChannel): string {
  return [
    `export STREAMRELAY_URL=${shellQuote(url)}`,
    `export STREAMRELAY_CHANNEL=${shellQuote(id)}`,
    `export STREAMRELAY_TOKEN=${shellQuote(tokens.produce)}`,
    `# Read it with: streamrelay consume --channel ${id}`,
  ].join("\n");
}

function words(url: string, { id, tokens }: CreatedChannel): string {
  return [
    `channel   ${id}`,
    `relay     ${url}`,
    `produce   ${tokens.produce}`,
    `consume   ${tokens.consume}`,
    `cancel    ${tokens.cancel}`,
    "",
    "In the job, with the produce token (channel new --export prints these lines):",
    `  export STREAMRELAY_URL=${shellQuote(url)} STREAMRELAY_CHANNEL=${id} STREAMRELAY_TOKEN=…`,
    "  my-model | streamrelay produce",
    "Here:",
    `  streamrelay consume --channel ${id}`,
  ].join("\n");
}
