/**
 * A tiny program that answers a prompt token by token, for demos, tests and
 * first steps on a cluster. Prompt on stdin, text on stdout.
 *
 * On its own it is an n-gram model of the short essays in `texts/`: NOT a
 * neural network, and what it says means nothing. With `--upstream` it asks a
 * real model on any OpenAI-compatible server instead.
 *
 * Uses only what Deno and Node (22 or later) both have:
 *
 * ```sh
 * echo "the night sky" | deno run -A examples/tiny_lm.ts
 * echo "the night sky" | node --experimental-strip-types examples/tiny_lm.ts
 * ```
 *
 * @module
 */

import { readdir, readFile } from "node:fs/promises";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { NGramModel, seededRandom } from "./lm/ngram.ts";
import { chatDeltas } from "./lm/openai_stream.ts";

const HELP = `tiny_lm: answers the prompt on stdin, token by token.

An n-gram model of a few short essays: not a neural network. It counts which
word followed which; what it says means nothing. For a real model on an
OpenAI-compatible server, give --upstream and --model.

  --tokens N      stop at the end of the sentence after N tokens (default 120);
                  with --upstream: ask for at most N (default: the server's)
  --delay-ms N    pause between tokens (default 30; not with --upstream)
  --seed N        the same seed and prompt give the same text
  --upstream URL  base URL of a server, such as http://127.0.0.1:8000/v1
  --model NAME    the model to ask it for
  --reasoning     also print what a reasoning model thinks
  --help          print this

The prompt is read from stdin, or from the file named in
STREAMRELAY_PROMPT_FILE if stdin is empty. A key for the server is read from
OPENAI_API_KEY. Exit: 0 answered, 1 failed, 2 wrong usage.
`;

class UsageError extends Error {}

function options() {
  try {
    return parseArgs({
      options: {
        tokens: { type: "string" },
        "delay-ms": { type: "string", default: "30" },
        seed: { type: "string" },
        upstream: { type: "string" },
        model: { type: "string" },
        reasoning: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(
      error instanceof Error ? error.message : String(error),
    );
  }
}

function wholeNumber(flag: string, value: string): number;
function wholeNumber(
  flag: string,
  value: string | undefined,
): number | undefined;
function wholeNumber(
  flag: string,
  value: string | undefined,
): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value);
  throw new UsageError(
    `Cannot parse --${flag} "${value}": expected a whole number`,
  );
}

async function readPrompt(): Promise<string> {
  const file = process.env.STREAMRELAY_PROMPT_FILE;
  // At a terminal nobody may be typing: the file is asked first.
  if (!process.stdin.isTTY || !file) {
    if (process.stdin.isTTY) console.error("Type a prompt, then Ctrl-D:");
    const slices: Uint8Array[] = [];
    for await (const slice of process.stdin) slices.push(slice);
    const typed = new TextDecoder().decode(
      await new Blob(slices as BlobPart[]).arrayBuffer(),
    );
    if (typed.trim() || !file) return typed.trim();
  }
  return (await readFile(file, "utf8")).trim();
}

/** Resolves once the text is handed to the system, so that nothing waits in a buffer. */
function print(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => error ? reject(error) : resolve());
  });
}

async function* speak(
  prompt: string,
  tokens: number,
  delayMs: number,
  seed: number | undefined,
): AsyncGenerator<string> {
  const model = new NGramModel(3);
  // Resolved here and not in lm/, so that `texts` is found beside a bundle too.
  const folder = new URL("./texts/", import.meta.url);
  for (const name of (await readdir(folder)).sort()) {
    if (name.endsWith(".txt")) {
      model.learn(await readFile(new URL(name, folder), "utf8"));
    }
  }
  const random = seed === undefined ? Math.random : seededRandom(seed, prompt);
  let spoken = 0;
  for (const sentence of model.answer(prompt, random)) {
    for (const word of sentence) {
      if (spoken > 0) await pause(delayMs);
      const joined = spoken === 0 || /^[.,;:!?]$/.test(word);
      yield joined ? word : ` ${word}`;
      spoken++;
    }
    if (spoken >= tokens) return;
  }
}

async function main(): Promise<void> {
  const given = options();
  if (given.help) return await print(HELP);
  const tokens = wholeNumber("tokens", given.tokens);
  const delayMs = wholeNumber("delay-ms", given["delay-ms"]);
  const seed = wholeNumber("seed", given.seed);
  const { upstream, model, reasoning } = given;
  if ((upstream === undefined) !== (model === undefined)) {
    throw new UsageError("--upstream and --model belong together");
  }
  if (upstream !== undefined) checkUrl(upstream);

  const prompt = await readPrompt();
  if (upstream === undefined || model === undefined) {
    for await (const token of speak(prompt, tokens ?? 120, delayMs, seed)) {
      await print(token);
    }
  } else {
    if (!prompt) {
      throw new UsageError("There is no prompt on stdin to ask the server");
    }
    const apiKey = process.env.OPENAI_API_KEY || undefined;
    const request = {
      upstream,
      model,
      prompt,
      apiKey,
      reasoning,
      maxTokens: tokens,
      seed,
    };
    for await (const delta of chatDeltas(request)) await print(delta);
  }
  await print("\n");
}

function checkUrl(text: string): void {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(
      "Cannot parse --upstream: expected an http or https URL",
    );
  }
  if (url.username || url.password) {
    throw new UsageError(
      "Put the key in OPENAI_API_KEY, not in the URL: others can read it there",
    );
  }
}

// A reader that has gone (`| head`) is no fault to report. Without a listener
// Node would throw; 141 is what a shell shows for a program ended by SIGPIPE.
process.stdout.on("error", () => process.exit(141));

try {
  await main();
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  if ((error as { code?: string }).code !== "EPIPE") {
    console.error(`tiny_lm: ${message}`);
  }
  // process.exit and not exitCode: an open stdin or connection must not hold
  // a job that has failed.
  process.exit(error instanceof UsageError ? 2 : 1);
}
