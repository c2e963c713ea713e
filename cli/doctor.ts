/** `streamrelay doctor`: whether a node can produce, and what stands in the way. @module */
import { diagnose } from "../adapters/doctor/diagnose.ts";
import { examineHere } from "../adapters/doctor/examine_here.ts";
import { examineJob } from "../adapters/doctor/examine_job.ts";
import type { Finding } from "../adapters/doctor/finding.ts";
import { parseRelayUrls } from "../client/relay_url.ts";
import { StreamError } from "../stream/mod.ts";
import { relayAccess } from "./channel_address.ts";
import { openCheckChannel } from "./check_channel.ts";
import type { Command } from "./command.ts";
import { profileFor } from "./doctor_profile.ts";
import { programsOf } from "./doctor_programs.ts";
import { printReport, type Report } from "./doctor_report.ts";
import { EXECUTOR_FLAGS } from "./executor_flags.ts";
import { type ExecutorKind, isExecutorKind } from "./executor_kind.ts";
import { chosenExecutor, makeExecutor } from "./executor_of.ts";
import type { Given } from "./given.ts";
import { onInterrupt } from "./on_interrupt.ts";
import { say } from "./say.ts";
import { StatusLine } from "./status_line.ts";
import { UsageError } from "./usage_error.ts";

const CANNOT_PRODUCE = 3;

/** Flags that tell where a job is to run, in place of a word. */
const TELLING: Partial<Record<ExecutorKind, readonly string[]>> = {
  ssh: ["host"],
  pbs: ["queue", "select", "place", "gpus", "mpiprocs", "project"],
  slurm: ["via", "partition", "gres", "qos", "constraint", "bin"],
};

/** The subcommand. */
export const command: Command = {
  name: "doctor",
  summary: "Find out whether a node can send tokens to a relay, and what stands in the way.",
  synopsis: "[URL|slurm|pbs|ssh] [FLAGS]",
  about: `Examines this machine, or submits a job that examines its node: nothing has to be
installed there. Tried are: the relay's name and port, proxies, TLS, a WebSocket, a chunked
upload, the clock, and every producer; at last the report itself is streamed. Where that is
not possible it comes back in the job's output file. It ends with a verdict and with the
configuration to use. Some of it is tried with curl or python3, and left out without either.`,
  flags: [
    { name: "json", help: "Print one JSON object, for programs" },
    {
      name: "proxy",
      value: "URL",
      help: "A proxy to try where nothing else leads to the relay",
      many: true,
    },
    { name: "timeout", value: "TIME", help: "How long each step may take; 10s by default" },
    ...EXECUTOR_FLAGS,
  ],
  positionals: 1,
  examples: [
    ["streamrelay doctor wss://relay.example.org --token-file t", "on a node, about that node"],
    [
      "streamrelay doctor --via login.example.edu --partition gpu --url wss://relay.example.org",
      "about a node of that partition, by a job, from a laptop",
    ],
  ],
  exits: [
    [0, "the node can produce: the report came by a stream"],
    [CANNOT_PRODUCE, "it can't, or not without the configuration that is printed"],
    [10, "the scheduler refused the job"],
  ],
  run,
};

async function run(given: Given): Promise<number> {
  const proxies = given.list("proxy");
  for (const proxy of proxies) {
    if (!/^https?:\/\/[^@\s/]+\/?$/.test(proxy)) {
      throw new UsageError(
        `Cannot parse --proxy: expected http://HOST:PORT, without a password, which the node's http_proxy may have`,
      );
    }
  }
  const common = { proxies, patience: given.seconds("timeout") ?? 10 };
  const [word] = given.positionals;
  const isUrl = word !== undefined && word.includes("://");
  const kind = isUrl ? undefined : kindOf(given, word);
  const here = isUrl || kind === "local" ||
    (kind === undefined && given.text("profile") === undefined);
  const report = here
    ? await examineThis(isUrl ? given.with("url", word) : given, common)
    : await examineNode(given, kind, common);
  printReport(report, given.on("json"));
  return report.produces === "yes" ? 0 : CANNOT_PRODUCE;
}

/** Where the job is to run, by a word or by what else was typed; `undefined` leaves it to the profile. */
function kindOf(given: Given, word: string | undefined): ExecutorKind | undefined {
  if (word !== undefined) {
    if (isExecutorKind(word) && word !== "globus") return word;
    throw new UsageError(
      `Cannot examine ${JSON.stringify(word)}: expected a relay's URL, slurm, pbs or ssh`,
    );
  }
  if (given.text("profile") !== undefined) return undefined;
  const kinds = Object.entries(TELLING) as [ExecutorKind, readonly string[]][];
  return kinds.find(([, flags]) => flags.some((flag) => given.typed(flag) !== undefined))?.[0];
}

async function examineThis(
  given: Given,
  common: { proxies: string[]; patience: number },
): Promise<Report> {
  const { url, token } = await relayAccess(given);
  parseRelayUrls(url);
  let unopened: Finding[] = [];
  const channel = await openCheckChannel(url, token, common.patience * 1000)
    .catch((error) => {
      unopened = [credentialFinding(StreamError.from(error))];
    });
  try {
    const facts = await examineHere({
      ...common,
      url,
      ...(channel?.ours && { channel: { id: channel.id, token: channel.produce } }),
    });
    const diagnosis = diagnose(facts);
    return {
      ...diagnosis,
      findings: [...unopened, ...diagnosis.findings],
      profile: { relay: { url }, ...diagnosis.configuration },
    };
  } finally {
    await channel?.close();
  }
}

/** Whatever keeps the relay from being reached is the checks' to tell. */
function credentialFinding({ code, message }: StreamError): Finding {
  const refused = code === "unauthorized" || code === "forbidden";
  return {
    check: "channel",
    state: refused ? "warning" : "skipped",
    message: `no channel could be made to stream through: ${message}`,
    ...(refused && { advice: "give a token that may make channels, with --token-file" }),
  };
}

async function examineNode(
  given: Given,
  kind: ExecutorKind | undefined,
  common: { proxies: string[]; patience: number },
): Promise<Report> {
  const chosen = await chosenExecutor(given, kind);
  // a look around takes a minute, however long the real jobs
  const quick = chosen.kind === "slurm" || chosen.kind === "pbs"
    ? { time: "5", ...chosen.config }
    : chosen.config;
  const executor = makeExecutor({ ...chosen, config: quick });
  const programs = programsOf(chosen);
  const stop = new AbortController();
  const line = new StatusLine();
  const release = onInterrupt((signal) => {
    if (stop.signal.aborted) Deno.exit(130);
    say("Cancelling the job; once more to leave at once");
    stop.abort(new Error(signal));
  });
  try {
    const facts = await examineJob(executor, {
      ...common,
      config: quick,
      producer: chosen.config.producer,
      programs,
      signal: stop.signal,
      onStatus: (status) => line.status(status),
    });
    const diagnosis = diagnose(facts);
    return { ...diagnosis, profile: await profileFor(chosen, diagnosis.configuration, programs) };
  } finally {
    line.clear();
    release();
  }
}
