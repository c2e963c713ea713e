/** `streamrelay demo`: the whole way of a token, on this machine. @module */
import { type ExecutorConfig, LocalExecutor, SlurmExecutor } from "../adapters/mod.ts";
import { shellQuote } from "../adapters/shell_quote.ts";
import { fromEnvironment } from "../client/mod.ts";
import { serveRelay } from "../server/mod.ts";
import { randomId, type TokenStream } from "../stream/mod.ts";
import { cancelOnInterrupt } from "./cancel_on_interrupt.ts";
import type { Command } from "./command.ts";
import { deliver } from "./deliver.ts";
import { demoFiles } from "./demo_files.ts";
import type { Given } from "./given.ts";
import { say } from "./say.ts";
import { slurmAnswers } from "./slurm_answers.ts";
import { UsageError } from "./usage_error.ts";

const PROMPT = "What is a tide?";

/** The subcommand. */
export const command: Command = {
  name: "demo",
  summary: "Start a relay, submit a job that answers a prompt, print its words.",
  synopsis: "[PROMPT] [FLAGS]",
  about: `The job goes to Slurm where it answers, else it runs here. It is a small n-gram model,
trained at its start on a dozen short texts: no neural network, and what it says means
nothing. With --upstream the job asks an OpenAI-compatible server in its place; a key
for that is read from OPENAI_API_KEY.`,
  flags: [
    {
      name: "upstream",
      value: "URL",
      help: "Ask this server: http://127.0.0.1:8000/v1",
    },
    { name: "model", value: "NAME", help: "The model to ask it for" },
    {
      name: "executor",
      value: "NAME",
      help: "local or slurm; slurm where it answers, by default",
    },
    { name: "tokens", value: "N", help: "About how many tokens the answer has" },
    { name: "seed", value: "N", help: "The same seed and prompt give the same text" },
    { name: "events", help: "Print every event as a line of JSON" },
  ],
  positionals: 1,
  examples: [
    ['deno task demo "What is a tide?"', "in a clone of this project"],
    [
      "streamrelay demo --upstream http://127.0.0.1:11434/v1 --model llama3.2",
      "asks Ollama",
    ],
  ],
  exits: [[0, "the answer is complete"], [12, "the job failed"]],
  run,
};

async function run(given: Given): Promise<number> {
  const prompt = given.positionals[0] ?? PROMPT;
  const args = modelArguments(given);
  const kind = given.choice("executor", ["local", "slurm"]) ??
    (await slurmAnswers() ? "slurm" : "local");
  const examples = await demoFiles();
  const upstream = given.text("upstream");
  say(
    upstream
      ? `The job asks ${given.text("model")} at ${upstream}`
      : "The model is a small n-gram model of a dozen short texts, trained as the job starts: no neural network, and what it says means nothing",
  );
  const script = { text: jobScript(`${examples}/tiny_lm.ts`) };
  const config: ExecutorConfig = {
    name: "streamrelay-demo",
    // under `npx deno` the job may find no deno of its own, and the producer wants one
    setup: [`export PATH="$PATH:"${shellQuote(folderOf(Deno.execPath()))}`],
  };
  if (kind === "slurm") {
    say("The job is submitted to Slurm, and a relay started that its nodes reach");
    const executor = new SlurmExecutor({ ...config, time: 5, output: "/dev/null" });
    return await print(executor.stream(script, prompt, { args }), given);
  }
  const { url } = fromEnvironment();
  if (url) {
    say(`The job runs on this machine, and its words go through ${url}`);
    return await print(new LocalExecutor(config).stream(script, prompt, { args }), given);
  }
  const secret = randomId(32);
  const relay = await serveRelay({ port: 0, secret });
  say(`The job runs on this machine, and its words go through a relay at ${relay.url}`);
  try {
    const executor = new LocalExecutor({ ...config, relay: { url: relay.url, token: secret } });
    return await print(executor.stream(script, prompt, { args }), given);
  } finally {
    await relay.close();
  }
}

async function print(stream: TokenStream, given: Given): Promise<number> {
  const release = cancelOnInterrupt(stream);
  try {
    return await deliver(stream, { events: given.on("events") });
  } finally {
    release();
  }
}

function modelArguments(given: Given): string[] {
  const [upstream, model] = [given.text("upstream"), given.text("model")];
  if ((upstream === undefined) !== (model === undefined)) {
    throw new UsageError("--upstream and --model belong together: expected both or none");
  }
  const args: string[] = [];
  for (const name of ["tokens", "seed"]) {
    const value = given.number(name);
    if (value !== undefined) args.push(`--${name}`, String(value));
  }
  if (upstream && model) args.push("--upstream", upstream, "--model", model);
  return args;
}

/** Any program that reads a prompt on stdin and prints text is a stream; this starts one. */
function jobScript(program: string): string {
  const path = shellQuote(program);
  return `#!/bin/bash
if command -v deno >/dev/null; then
  exec deno run -A --quiet --no-config ${path} "$@"
fi
exec node --experimental-strip-types --no-warnings ${path} "$@"
`;
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
