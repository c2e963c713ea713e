/** `streamrelay produce`: sends stdin, or what a program prints, as a channel. @module */
import { RelayProducer } from "../client/mod.ts";
import { StreamError } from "../stream/mod.ts";
import { CHANNEL_FLAGS, channelAddress, patience, PATIENCE_FLAG } from "./channel_address.ts";
import type { Command } from "./command.ts";
import type { Given } from "./given.ts";
import { onInterrupt } from "./on_interrupt.ts";
import { produceProgram } from "./produce_program.ts";
import { UsageError } from "./usage_error.ts";

/** The subcommand. */
export const command: Command = {
  name: "produce",
  summary: "Send stdin, or what a program prints, through a channel as it comes.",
  synopsis: "[FLAGS] [-- PROGRAM ARGUMENTS…]",
  about: `With a program, its exit code, signal and the end of its stderr are reported, and it
is ended when somebody cancels. With stdin, the end of input counts as success: a
program in front of the pipe that crashed looks the same.`,
  flags: [...CHANNEL_FLAGS, PATIENCE_FLAG],
  trailing: true,
  examples: [
    ["my-model | streamrelay produce", "with STREAMRELAY_URL, _CHANNEL and _TOKEN set"],
    ["streamrelay produce -- python infer.py", "reports how it ended as well"],
  ],
  exits: [
    [0, "all was sent, and the relay has acknowledged its end"],
    ["N", "with a program: its own exit code, or 128 and its signal's number"],
  ],
  run,
};

async function run(given: Given): Promise<number> {
  if (given.trailing.length === 0 && Deno.stdin.isTerminal()) {
    throw new UsageError(
      "Cannot produce from a terminal: expected a pipe on stdin, or -- and a program",
    );
  }
  const address = await channelAddress(given, "produce");
  const producer = new RelayProducer({ ...address, retry: patience(given) });
  // a relay that can't be reached must be told of before a program is started
  await producer.connect();
  if (given.trailing.length > 0) {
    return await produceProgram(producer, given.trailing);
  }
  let interrupted = false;
  const release = onInterrupt(async (signal) => {
    if (interrupted) Deno.exit(130);
    interrupted = true;
    await producer.fail(
      new StreamError("cancelled", `The producer was ended by ${signal}`),
    ).catch(() => {});
    Deno.exit(130);
  });
  try {
    await producer.pipe(Deno.stdin.readable);
    // a pipe that was cancelled from outside has ended rightly and yet is no success
    producer.signal.throwIfAborted();
    return 0;
  } finally {
    release();
  }
}
