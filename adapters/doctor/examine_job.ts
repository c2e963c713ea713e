/**
 * Finds out what a producer would find on a node, by a job that looks.
 *
 * @module
 */
import type { StatusEvent } from "../../stream/event.ts";
import { StreamError } from "../../stream/stream_error.ts";
import type { Executor } from "../executor.ts";
import type { ExecutorConfig } from "../executor_config.ts";
import type { ProgramRunner } from "../program_runner.ts";
import { type NodeFacts, readNodeFacts } from "./node_facts.ts";
import { nodeScript, type NodeScriptOptions } from "./node_script.ts";

/** What {@linkcode examineJob} works with. */
export interface ExamineJobOptions extends NodeScriptOptions {
  /** Runs programs where the job's output file can be read. */
  programs: ProgramRunner;
  /** What the executor is configured with. */
  config: ExecutorConfig;
  /** Told how the job is doing. */
  onStatus?: (status: StatusEvent) => void;
  /** Cancels the job. */
  signal?: AbortSignal;
  /**
   * Milliseconds that the job's output file has to come from the node, where nothing came through the
   * relay.
   *
   * @default {30_000}
   */
  outputWithin?: number;
}

/** Milliseconds between two looks at the output file. */
const LOOK_EVERY = 1_000;

/**
 * Submits a job that looks around on its node. What it found comes through the relay if a producer gets
 * there, else from the job's output file, which is removed.
 *
 * @param executor Submits it.
 * @param options Where its output can be read, what to try.
 * @returns What was found.
 * @throws {StreamError} Whatever became of the job, where no report came back by either way.
 */
export async function examineJob(
  executor: Executor,
  options: ExamineJobOptions,
): Promise<NodeFacts> {
  const { config, programs, signal, onStatus } = options;
  const folder = config.workdir?.startsWith("/")
    ? config.workdir
    : (await programs.run("pwd", [])).stdout.trim();
  const output = `${folder}/.streamrelay-doctor-${crypto.randomUUID()}`;
  const text = nodeScript({ ...options, producer: { ...config.producer, ...options.producer } });
  try {
    let streamed = "";
    let failure: StreamError | undefined;
    // a node with curl alone can stream, too, unless the site wants all to be encrypted
    for (const encryption of config.encryption ? [config.encryption] : ["off", "v2"] as const) {
      const stream = executor.stream({ text }, undefined, {
        // the script tries the producers itself, and needs the token for that
        producer: { ...config.producer, path: undefined, script: true },
        encryption,
        // whether nodes reach the relay is the question
        transport: "relay",
        name: config.name ?? "streamrelay-doctor",
        output,
        signal,
      });
      failure = await stream.onChunk((event) => {
        if (event.type === "token") streamed += event.content;
        if (event.type === "status") onStatus?.(event);
      }).then(() => undefined, (error) => StreamError.from(error));
      if (failure?.code !== "policy") break;
    }
    const facts = readNodeFacts(streamed);
    if (facts?.complete) return facts;
    // whatever else is known of the job's end, no report was about to come
    const silent = failure === undefined || failure.code === "producer_lost";
    const within = silent ? options.outputWithin ?? 30_000 : 0;
    const written = await readOutput(programs, output, within);
    if (written) return written;
    throw failure ?? new StreamError(
      "producer_lost",
      `The job ended without a report: expected one in ${output} on ${
        programs.place ?? "this machine"
      }`,
    );
  } finally {
    await programs.run("rm", ["-f", "--", output]).catch(() => {});
  }
}

/** A shared file system may show a node's file late. */
async function readOutput(
  programs: ProgramRunner,
  path: string,
  within: number,
): Promise<NodeFacts | undefined> {
  for (const over = Date.now() + within;;) {
    const { stdout } = await programs.run("cat", ["--", path]);
    const facts = readNodeFacts(stdout);
    if (facts?.complete) return facts;
    if (Date.now() >= over) return undefined;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
  }
}
