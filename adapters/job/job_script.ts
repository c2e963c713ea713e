/**
 * The one generated bash script that runs in a batch job: the scheduler's directives, the exports, the
 * wrapper, the user's program and the producers it may need.
 *
 * @module
 */
import { StreamError } from "../../stream/mod.ts";
import { assertOneLine } from "../directives.ts";
import { packProducers, type ProducerKind } from "../packed_producers.ts";
import { shellQuote } from "../shell_quote.ts";
import wrapper from "./job_wrapper.sh" with { type: "text" };

/** The producers a job looks for, in this order. */
export const PRODUCER_ORDER: readonly ProducerKind[] = [
  "streamrelay-producer",
  "deno",
  "node",
  "python3",
  "curl",
];

/**
 * How the job gets its channel's token and its stream's key: in the script, or in a 0600 file that its
 * host can read.
 */
export type JobCredentials =
  | { kind: "script"; token: string; key?: string }
  | { kind: "file"; path: string };

/** What sends the program's output to the relay. */
export interface JobProducer {
  /**
   * A producer on the job's host, tried first: a program, which is run as it is, or the bundle (`.mjs`,
   * `.js`), which deno or node runs. One that isn't there ends the stream.
   */
  path?: string;
  /** The kinds that may be used; all by default. Their order is fixed. */
  use?: ProducerKind[];
  /** The user's script speaks to the relay itself and keeps the token; `false` by default. */
  script?: boolean;
}

/** Intervals inside the job, in seconds; decimals are understood. */
export interface JobTimings {
  /** Between two signs of life; 15 by default. */
  heartbeat?: number;
  /** Between two looks for a cancel in a spool; 2 by default. */
  look?: number;
  /** How long a relay that can't be reached is tried for once the program has ended; 600 by default. */
  giveUp?: number;
  /** What the program gets between a SIGTERM to the job and SIGKILL; 10 by default. */
  grace?: number;
  /** What the program gets between a cancel's SIGTERM and SIGKILL; 5 by default. */
  killAfter?: number;
  /** How long output is waited for that a background child still holds open after the end; 2 by default. */
  drain?: number;
  /** After how long without output a hint about buffering is printed; 60 by default, 0 for never. */
  hint?: number;
}

/** What {@linkcode buildJobScript} needs to know. */
export interface JobScriptSpec {
  /** Directive lines of the user's script; explicit options go to the submit command, and win. */
  directives: string[];
  /** The relay as the job's host reaches it; may be a comma-separated list, and is empty with a spool. */
  relayUrl: string;
  /** The folder of a shared file system that takes the stream where no relay can be reached. */
  spool?: string;
  /** The channel to write to; of an array, what the channels of its tasks begin with. */
  channel: string;
  /** Whether it is a job array, whose tasks find their channels by their indices. */
  array?: boolean;
  /** How the job gets the channel's token. */
  credentials: JobCredentials;
  /** Whether the channel holds an input, which becomes the program's standard input. */
  hasInput: boolean;
  /** Lines run before the program in the wrapper's own shell: `module load …`, `conda activate …`. */
  setup?: string[];
  /** Where the program runs; where the scheduler starts the job by default. */
  workdir?: string;
  /** Environment of set-up and program. */
  env?: Record<string, string>;
  /** The user's script, or the path of one that is there already. */
  program: { text: string } | { remote: string };
  /** Arguments of the program. */
  args?: string[];
  /** What sends the output. */
  producer?: JobProducer;
  /** How a program that speaks to the relay itself encrypts, where that is not v2. */
  encryption?: "v1";
  /** Intervals. */
  timings?: JobTimings;
}

/** The exit codes of the job that are the wrapper's own, not the program's. */
export const WRAPPER_EXITS = {
  /** The stream was cancelled before the program began. */
  cancelled: 130,
  /** No usable producer was found, or the one that was named isn't there. */
  noProducer: 86,
  /** The input could not be fetched. */
  noInput: 87,
  /** The credentials' file is not there, or holds no token. */
  noCredentials: 88,
  /** The spool is not there. */
  noSpool: 89,
} as const;

/**
 * Builds the script to hand to the submit command's standard input, or to `bash`.
 *
 * It holds the channel's token and key when `credentials` says so, and never a prompt. It runs on bash ≥ 4.2.
 * CR LF line ends in the program become LF, because `sbatch` refuses the others.
 *
 * @param spec What is to run, and where its output goes.
 * @returns The script.
 * @throws {StreamError} `bad_request` when a text holds a NUL character, a directive a line break, or
 * the environment a name that is none.
 * @example
 * ```ts
 * import { buildJobScript } from "./job_script.ts";
 * import { assert } from "@std/assert";
 *
 * const script = buildJobScript({
 *   directives: ["#SBATCH --time=5"],
 *   relayUrl: "ws://login1:8765",
 *   channel: "c1",
 *   credentials: { kind: "script", token: "a.b.c" },
 *   hasInput: false,
 *   program: { text: "#!/bin/bash\necho hello\n" },
 * });
 * assert(script.startsWith("#!/bin/bash\n#SBATCH --time=5\n"));
 * ```
 */
export function buildJobScript(spec: JobScriptSpec): string {
  for (const line of spec.directives) assertOneLine(line);
  const producer = spec.producer ?? {};
  const use = PRODUCER_ORDER.filter((kind) => producer.use?.includes(kind) ?? true);
  return [
    "#!/bin/bash",
    ...spec.directives,
    // What the submitting shell had must not reach the program.
    "unset STREAMRELAY_TOKEN STREAMRELAY_KEY RELAY_SECRET RELAY_ENCRYPTION_KEY",
    ...Object.entries(spec.env ?? {}).map(exportLine),
    ...Object.entries(settings(spec, use)).map(([name, value]) =>
      Array.isArray(value)
        ? `sr_${name}=(${value.map(shellQuote).join(" ")})`
        : `sr_${name}=${shellQuote(String(value))}`
    ),
    ...packProducers(use),
    heredoc(
      "sr_program_text",
      "text" in spec.program ? spec.program.text : "",
    ),
    wrapper.trimEnd(),
    // bash reads a script as it goes: exit in the same line, whatever became of the file by then.
    "{ sr_main; exit; }",
    "",
  ].join("\n");
}

function settings(
  spec: JobScriptSpec,
  use: ProducerKind[],
): Record<string, string | number | string[]> {
  const timings = spec.timings ?? {};
  const { credentials } = spec;
  return {
    url: spec.relayUrl,
    spool: spec.spool ?? "",
    look: timings.look ?? 2,
    channel: spec.channel,
    array: spec.array ? spec.channel : "",
    token: credentials.kind === "script" ? credentials.token : "",
    key: credentials.kind === "script" ? credentials.key ?? "" : "",
    credentials: credentials.kind === "file" ? credentials.path : "",
    has_input: spec.hasInput ? "1" : "",
    setup: spec.setup ?? [],
    workdir: spec.workdir ?? "",
    remote: "remote" in spec.program ? spec.program.remote : "",
    args: spec.args ?? [],
    producer_path: spec.producer?.path ?? "",
    script: spec.producer?.script ? "1" : "",
    // by this name the Python package knows a key, and our own clients that it is one of v1's
    key_name: spec.encryption === "v1" ? "RELAY_ENCRYPTION_KEY" : "STREAMRELAY_KEY",
    use,
    heartbeat: timings.heartbeat ?? 15,
    give_up: timings.giveUp ?? 600,
    grace: timings.grace ?? 10,
    kill_after: timings.killAfter ?? 5,
    drain: timings.drain ?? 2,
    hint: timings.hint ?? 60,
  };
}

function exportLine([name, value]: [string, string]): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    throw new StreamError(
      "bad_request",
      `Cannot set environment variable ${
        JSON.stringify(name)
      }: expected a name of letters, digits and _`,
    );
  }
  return `export ${name}=${shellQuote(value)}`;
}

function heredoc(name: string, text: string): string {
  if (text.includes("\0")) {
    throw new StreamError(
      "bad_request",
      "Cannot carry the program: it holds a NUL character, expected a script; name a binary as { remote }",
    );
  }
  const body = text.replace(/\r(?=\n|$)/g, "").replace(/\n$/, "");
  const lines = new Set(body.split("\n"));
  let delimiter = "STREAMRELAY_PROGRAM";
  for (let i = 2; lines.has(delimiter); i++) {
    delimiter = `STREAMRELAY_PROGRAM_${i}`;
  }
  return `${name}() { cat <<'${delimiter}'\n${body}\n${delimiter}\n}`;
}
