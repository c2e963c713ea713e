/** `streamrelay consume`: prints a channel as it comes. @module */
import { RelayConsumer } from "../client/mod.ts";
import { decodeResumeToken } from "../stream/mod.ts";
import { CHANNEL_FLAGS, channelAddress, patience, PATIENCE_FLAG } from "./channel_address.ts";
import type { Command } from "./command.ts";
import { deliver } from "./deliver.ts";
import type { Given } from "./given.ts";
import { onInterrupt } from "./on_interrupt.ts";
import { say } from "./say.ts";

/** The subcommand. */
export const command: Command = {
  name: "consume",
  summary: "Print what a channel's producer writes, as it comes.",
  synopsis: "--channel ID [FLAGS]",
  about: `Text goes to stdout. Ctrl-C leaves and cancels nothing. A channel that was made from
here needs no --url and no token.`,
  flags: [
    ...CHANNEL_FLAGS,
    { name: "events", help: "Print every event as a line of JSON" },
    { name: "from", value: "N", help: "First record wanted; 0 by default" },
    {
      name: "resume",
      value: "TOKEN",
      help: "Go on where an earlier consumer left, as it said",
    },
    PATIENCE_FLAG,
  ],
  examples: [
    ["streamrelay consume --channel k3J9", "prints the text"],
    [
      "streamrelay consume --url wss://relay.example.org --channel k3J9 --token-file t --events | jq .",
      "every event, from another machine",
    ],
  ],
  exits: [[0, "the stream is complete"]],
  run,
};

async function run(given: Given): Promise<number> {
  const resumeToken = given.text("resume");
  const address = await channelAddress(
    given,
    "consume",
    given.typed("channel") ??
      (resumeToken && decodeResumeToken(resumeToken).channel) ??
      given.text("channel"),
  );
  const consumer = new RelayConsumer({
    ...address,
    retry: patience(given),
    from: given.number("from"),
    ...(resumeToken !== undefined && { resumeToken }),
  });
  const stream = consumer.stream();
  const release = onInterrupt(() => {
    const token = stream.resumeToken;
    if (token) say(`Left; go on with --resume ${token}`);
    Deno.exit(130);
  });
  try {
    return await deliver(stream, { events: given.on("events") });
  } finally {
    release();
    consumer.close();
  }
}
