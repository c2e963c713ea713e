/** `streamrelay run`: submits a script as a job and prints its tokens. @module */
import type { SubmittedJob } from "../adapters/mod.ts";
import type { Command } from "./command.ts";
import { deliver } from "./deliver.ts";
import { cancelOnInterrupt } from "./cancel_on_interrupt.ts";
import {
  type ChosenExecutor,
  chosenExecutor,
  EXECUTOR_FLAGS,
  makeExecutor,
} from "./executor_of.ts";
import type { Given } from "./given.ts";
import { detachLocalJob } from "./detach_local_job.ts";
import { readPrompt } from "./read_prompt.ts";
import { say } from "./say.ts";
import { UsageError } from "./usage_error.ts";

/** The subcommand. */
export const command: Command = {
  name: "run",
  summary: "Submit a script as a job, and print what it prints while it runs.",
  synopsis: "local|slurm SCRIPT [FLAGS] [-- ARGUMENTS…]",
  about: `The script gets the prompt on stdin and in $STREAMRELAY_PROMPT_FILE. Ctrl-C cancels
the job, a second one leaves at once. A terminal that is closed cancels no job that waits,
and one that runs after a minute (onDisconnect in a profile says otherwise); a local job
ends with it. With a profile that names an executor, \`run SCRIPT --profile NAME\` does.
The stream is encrypted end to end, under a key of its own, which the relay never has.`,
  flags: [
    {
      name: "prompt-file",
      value: "FILE",
      help: "The prompt; from stdin without it",
    },
    { name: "no-prompt", help: "There is none: do not read stdin" },
    { name: "detach", help: "Leave the job, and print its id; see ls, logs, cancel" },
    { name: "events", help: "Print every event as a line of JSON" },
    ...EXECUTOR_FLAGS,
  ],
  positionals: 2,
  trailing: true,
  examples: [
    [
      'echo "What is a tide?" | streamrelay run slurm infer.sh --partition gpu --gres gpu:1',
      "prints the answer while the job writes it",
    ],
    [
      "streamrelay run infer.sh --profile a100 --prompt-file q.txt --detach",
      "leaves it in the queue and prints its id",
    ],
    [
      "streamrelay run local infer.sh --prompt-file q.txt -- --temperature 0",
      "runs it here, with arguments of its own",
    ],
  ],
  exits: [
    [0, "the stream is complete; with --detach: the job was submitted"],
    [10, "the scheduler refused the job"],
    [12, "it ended with an exit code or a signal; its stderr's end is shown"],
  ],
  run,
};

async function run(given: Given): Promise<number> {
  const { kind, script } = words(given.positionals);
  const chosen = await chosenExecutor(given, kind);
  await mustExist(script);
  if (given.on("detach") && given.on("events")) {
    throw new UsageError("Cannot use --events with --detach: expected logs");
  }
  const input = given.on("no-prompt") ? undefined : await readPrompt(given.text("prompt-file"));
  const args = [...given.trailing];
  if (given.on("detach")) {
    const job = await detach(chosen, script, input, args);
    say(
      `Submitted as ${job.jobId} (${job.executor}); follow it with: streamrelay logs ${job.channel}`,
    );
    console.log(job.channel);
    return 0;
  }
  const stream = makeExecutor(chosen).stream(script, input, { args });
  const release = cancelOnInterrupt(stream);
  try {
    return await deliver(stream, { events: given.on("events") });
  } finally {
    release();
  }
}

function words(
  positionals: readonly string[],
): { kind?: "local" | "slurm"; script: string } {
  const [first, second] = positionals;
  if (second === undefined) {
    if (first === undefined || first === "local" || first === "slurm") {
      throw new UsageError(
        "No script was given: expected run local SCRIPT or run slurm SCRIPT",
      );
    }
    return { script: first };
  }
  if (first !== "local" && first !== "slurm") {
    throw new UsageError(
      `Unknown executor ${JSON.stringify(first)}: expected local or slurm`,
    );
  }
  return { kind: first, script: second };
}

/** Before somebody types a prompt for nothing. */
async function mustExist(script: string): Promise<void> {
  const found = await Deno.stat(script).catch(() => undefined);
  if (found?.isFile) return;
  throw new UsageError(
    `Cannot run ${script}: ${
      found ? "it is no file" : "there is no such file"
    }, expected the path of a script`,
  );
}

async function detach(
  chosen: ChosenExecutor,
  script: string,
  input: Uint8Array<ArrayBuffer> | undefined,
  args: string[],
): Promise<SubmittedJob> {
  return chosen.kind === "local"
    ? await detachLocalJob({ script, args, config: chosen.config, input })
    : await makeExecutor(chosen).submit(script, input, { args });
}
