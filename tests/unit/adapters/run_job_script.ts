/** Job scripts, run as a node runs them. @module */
import { assert } from "@std/assert";
import { buildJobScript, type JobScriptSpec } from "../../../adapters/job/job_script.ts";
import type { OpenChannel } from "./producers/open_channel.ts";

/** The producer that is there on every machine of ours, and starts fastest. */
export const use = ["deno" as const];

/** Short ones. */
export const timings = {
  hint: 0,
  heartbeat: 0.2,
  drain: 0.3,
  grace: 0.3,
  killAfter: 0.2,
  giveUp: 1,
};

/** What a job script is made of, through an open channel. */
export function specFor(open: OpenChannel, more: Partial<JobScriptSpec>): JobScriptSpec {
  return {
    directives: [],
    relayUrl: open.url,
    channel: open.channel.id,
    credentials: { kind: "script", token: open.channel.tokens.produce },
    hasInput: false,
    program: { text: "echo hello" },
    producer: { use },
    timings,
    ...more,
  };
}

/** A job that runs. */
export interface Job {
  /** Its shell. */
  pid: number;
  /** How it ended, and what it left in its folder. */
  ended: Promise<{ code: number; stdout: string; stderr: string; left: string[] }>;
}

/** Runs a job script from a file, as a scheduler does, and lists what it left in its TMPDIR. */
export async function start(script: string, env: Record<string, string> = {}): Promise<Job> {
  const folder = await Deno.makeTempDir();
  await Deno.mkdir(`${folder}/tmp`);
  await Deno.writeTextFile(`${folder}/job`, script);
  const child = new Deno.Command("bash", {
    args: [`${folder}/job`],
    env: { TMPDIR: `${folder}/tmp`, ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const ended = child.output().then(async ({ code, stdout, stderr }) => {
    const left = [...Deno.readDirSync(`${folder}/tmp`)].map(({ name }) => name);
    await Deno.remove(folder, { recursive: true });
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, stdout: text(stdout), stderr: text(stderr), left };
  });
  return { pid: child.pid, ended };
}

/** Runs one to its end. */
export async function run(open: OpenChannel, more: Partial<JobScriptSpec>, env = {}) {
  return await (await start(buildJobScript(specFor(open, more)), env)).ended;
}

/** The error that its stream ended with. */
export async function failure(open: OpenChannel) {
  const end = (await open.events).at(-1);
  assert(end?.type === "error", `the stream ended with ${end?.type}`);
  return end;
}
