/** `streamrelay ls`: the jobs that were submitted from here. @module */
import { listJobRecords, removeJobRecord, type SubmittedJob } from "../adapters/mod.ts";
import { type ChannelStatus, ControlClient } from "../client/mod.ts";
import { StreamError } from "../stream/mod.ts";
import type { Command } from "./command.ts";
import { endInWords } from "./end_in_words.ts";
import type { Given } from "./given.ts";

/** A job whose channel is gone is forgotten after so many milliseconds. */
const FORGET_AFTER = 7 * 86_400_000;

/** The subcommand. */
export const command: Command = {
  name: "ls",
  summary: "List the jobs and channels that were made from here.",
  synopsis: "[--json]",
  about: `States: new, waiting, running, cancelling; done, or the code of its end; gone, when the
relay does not know it any more; unreachable, when the relay does not answer. A run
that was watched to its end is not listed.`,
  flags: [
    { name: "json", help: "One JSON object a line" },
    {
      name: "timeout",
      value: "TIME",
      help: "How long a relay has for its answer; 5s by default",
    },
  ],
  examples: [["streamrelay ls", "then logs ID, or cancel ID"]],
  run,
};

async function run(given: Given): Promise<number> {
  const timeout = (given.seconds("timeout") ?? 5) * 1000;
  const rows = await Promise.all(
    (await listJobRecords()).map(async (job) => ({
      job,
      state: await stateOf(job, timeout),
    })),
  );
  for (const { job, state } of rows) {
    const old = Date.now() - job.submitted > FORGET_AFTER;
    if (state === "gone" && old) await removeJobRecord(job.channel);
  }
  if (given.on("json")) {
    for (const { job, state } of rows) {
      const { tokens: _secret, key: _key, files: _files, ...open } = job;
      console.log(JSON.stringify({ ...open, state }));
    }
  } else {
    print(rows);
  }
  return 0;
}

async function stateOf(job: SubmittedJob, timeout: number): Promise<string> {
  const control = new ControlClient({
    url: job.relay,
    token: job.tokens.consume,
    timeout,
  });
  try {
    const status = await control.info(job.channel);
    return status.end ? await endInWords(job, status.end) : inWords(status);
  } catch (error) {
    const { code } = StreamError.from(error);
    // a relay that began anew refuses the tokens of before
    return ["unreachable", "timeout", "overloaded"].includes(code) ? "unreachable" : "gone";
  }
}

function inWords({ cancel, producer, next }: ChannelStatus): string {
  if (cancel) return "cancelling";
  return producer ? "running" : next > 0 ? "waiting" : "new";
}

function print(rows: readonly { job: SubmittedJob; state: string }[]): void {
  if (rows.length === 0) return;
  const lines = [
    ["CHANNEL", "JOB", "WHERE", "STATE", "SUBMITTED", "SCRIPT"],
    ...rows.map(({ job, state }) => [
      job.channel,
      job.jobId || "-",
      job.executor,
      state,
      new Date(job.submitted).toISOString().slice(0, 19).replace("T", " "),
      job.script || "-",
    ]),
  ];
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  for (const line of lines) {
    console.log(
      line.map((cell, column) => cell.padEnd(widths[column])).join("  ")
        .trimEnd(),
    );
  }
}
