/**
 * A local job that outlives the command that started it: a process of its own looks after it.
 *
 * @module
 */
import { cleanEnvironment } from "../adapters/clean_environment.ts";
import {
  type LocalConfig,
  LocalExecutor,
  type Script,
  type SubmittedJob,
} from "../adapters/mod.ts";
import { statePath } from "../adapters/state_folder.ts";
import { StreamError } from "../stream/mod.ts";

/** What is to be run. */
export interface LocalJobRequest {
  /** The script. */
  script: Script;
  /** Its arguments. */
  args: string[];
  /** The executor's configuration. */
  config: LocalConfig;
  /** The prompt. */
  input?: Uint8Array<ArrayBuffer>;
}

/**
 * Starts a local job under a detached process.
 *
 * @param request What is to be run.
 * @returns The job, which is remembered in the state folder.
 * @throws {StreamError} Whatever stood in its way.
 */
export async function detachLocalJob(
  request: LocalJobRequest,
): Promise<SubmittedJob> {
  if (Deno.build.standalone) {
    throw new StreamError(
      "unsupported",
      "Cannot detach a local job from a compiled program: expected run without --detach",
    );
  }
  const keeper = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", import.meta.url],
    clearEnv: true,
    env: { ...cleanEnvironment(), ...own(), STREAMRELAY_STATE: statePath() },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
    detached: true,
  }).spawn();
  keeper.unref();
  const { input, ...rest } = request;
  const writer = keeper.stdin.getWriter();
  // a line with what is to be done, then the prompt: nothing of it is an argument
  await writer.write(new TextEncoder().encode(JSON.stringify(rest) + "\n"));
  if (input) await writer.write(input);
  await writer.close();
  const answer = JSON.parse(await firstLine(keeper.stdout) || "{}");
  if (answer.job) return answer.job;
  throw StreamError.parse(answer.error);
}

/** The process lives on: what it has to say ends with a line and not with its output. */
async function firstLine(stdout: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let text = "";
  for await (const piece of stdout.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (text.includes("\n")) break;
  }
  return text;
}

/** What the process needs to find the relay that this one would. */
function own(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(Deno.env.toObject()).filter(([name]) => /^(STREAMRELAY|RELAY)_/.test(name)),
  );
}

/** What the detached process does. */
async function keep(): Promise<void> {
  const bytes = new Uint8Array(
    await new Response(Deno.stdin.readable).arrayBuffer(),
  );
  const end = bytes.indexOf(10);
  const request: LocalJobRequest = JSON.parse(
    new TextDecoder().decode(bytes.subarray(0, end)),
  );
  const input = bytes.length > end + 1 ? bytes.slice(end + 1) : undefined;
  const executor = new LocalExecutor(request.config);
  const { script, args } = request;
  let job: SubmittedJob;
  try {
    job = await executor.submit(script, input, { args });
  } catch (error) {
    await answer({ error: StreamError.from(error) });
    Deno.exit(1);
  }
  const stream = executor.attach(job);
  await answer({ job });
  await stream.drain();
  Deno.exit(0);
}

/** Tells whoever started this process. */
async function answer(value: unknown): Promise<void> {
  const bytes = new TextEncoder().encode(JSON.stringify(value) + "\n");
  for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
}

if (import.meta.main) await keep();
