/** `streamrelay run`: submits a script as a job and prints its tokens. @module */
import type { PythonFunction, Script, SubmittedJob } from "../adapters/mod.ts";
import type { Command } from "./command.ts";
import { deliver } from "./deliver.ts";
import { cancelOnInterrupt } from "./cancel_on_interrupt.ts";
import { EXECUTOR_FLAGS } from "./executor_flags.ts";
import { EXECUTOR_KINDS, type ExecutorKind, isExecutorKind, orOf } from "./executor_kind.ts";
import { type ChosenExecutor, chosenExecutor, makeExecutor } from "./executor_of.ts";
import type { Given } from "./given.ts";
import { detachLocalJob } from "./detach_local_job.ts";
import { readPrompt } from "./read_prompt.ts";
import { say } from "./say.ts";
import { UsageError } from "./usage_error.ts";

/** The subcommand. */
export const command: Command = {
  name: "run",
  summary: "Submit a script as a job, and print what it prints while it runs.",
  synopsis: "local|slurm|pbs|ssh|globus SCRIPT [FLAGS] [-- ARGUMENTS…]",
  about: `The script gets the prompt on stdin and in $STREAMRELAY_PROMPT_FILE. Ctrl-C cancels
the job, a second one leaves at once. A terminal that is closed cancels no job that waits,
and one that runs after a minute (--on-disconnect says otherwise); a local job and one over
ssh end with it. With a profile that names an executor, \`run SCRIPT --profile NAME\` does.
The stream is encrypted end to end, under a key of its own, which the relay never has.`,
  flags: [
    {
      name: "prompt-file",
      value: "FILE",
      help: "The prompt; from stdin without it",
    },
    { name: "remote", help: "SCRIPT is a path where the job runs; by default it is one here" },
    {
      name: "function",
      value: "NAME",
      help: "Globus: SCRIPT is Python source, and this function of it is called, not encrypted",
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
      "streamrelay run pbs infer.sh --via login.example.edu --url wss://relay.example.org",
      "submits it on a login node, over ssh, from anywhere",
    ],
    [
      "streamrelay run ssh infer.sh --host gpu-box --prompt-file q.txt",
      "runs it on a host without a scheduler",
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
  const { kind, path } = words(given.positionals);
  const chosen = await chosenExecutor(given, kind);
  const script = scriptOf(given, chosen.kind, path);
  if (!given.on("remote")) await mustExist(path);
  if (given.on("detach") && given.on("events")) {
    throw new UsageError("Cannot use --events with --detach: expected logs");
  }
  if (given.on("detach") && chosen.kind === "ssh") {
    throw new UsageError(
      "Cannot use --detach with run ssh: a job over ssh lives no longer than who reads it, expected run without --detach, in tmux for one",
    );
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

function words(positionals: readonly string[]): { kind?: ExecutorKind; path: string } {
  const [first, second] = positionals;
  if (second === undefined) {
    if (first === undefined || isExecutorKind(first)) {
      throw new UsageError(
        `No script was given: expected run ${first ?? EXECUTOR_KINDS.join("|")} SCRIPT`,
      );
    }
    return { path: first };
  }
  if (!isExecutorKind(first)) {
    throw new UsageError(
      `Unknown executor ${JSON.stringify(first)}: expected ${orOf(EXECUTOR_KINDS)}`,
    );
  }
  return { kind: first, path: second };
}

/** Globus Compute calls functions, too; no other executor is ever given one. */
function scriptOf(given: Given, kind: ExecutorKind, path: string): Script {
  const name = given.typed("function");
  if (name === undefined) return given.on("remote") ? { remote: path } : path;
  if (kind !== "globus") {
    throw new UsageError(`Cannot use --function with run ${kind}: expected run globus`);
  }
  if (given.on("remote") || given.trailing.length > 0) {
    throw new UsageError(
      `Cannot use ${
        given.on("remote") ? "--remote" : "--"
      } with --function: expected Python source here, which gets the prompt alone`,
    );
  }
  const called: PythonFunction = { python: path, function: name };
  return called as unknown as Script;
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
  script: Script,
  input: Uint8Array<ArrayBuffer> | undefined,
  args: string[],
): Promise<SubmittedJob> {
  return chosen.kind === "local"
    ? await detachLocalJob({ script, args, config: chosen.config, input })
    : await makeExecutor(chosen).submit(script, input, { args });
}
