/**
 * An executor, from what was typed and what the configuration says.
 *
 * @module
 */
import {
  type Executor,
  type ExecutorConfig,
  LocalExecutor,
  type SlurmConfig,
  SlurmExecutor,
} from "../adapters/mod.ts";
import type { Flag } from "./command.ts";
import { creatorToken, RELAY_FLAGS } from "./channel_address.ts";
import { type Profile, profileOf, readConfig, relayOf } from "./config.ts";
import type { Given } from "./given.ts";
import { typedSecret } from "./secret_of.ts";
import { UsageError } from "./usage_error.ts";

/** Options of Slurm by their flags; those with a number in them are whole numbers. */
const SLURM_FLAGS = [
  ["partition", "NAME", "partition", "Partition, or several with commas"],
  ["gres", "LIST", "gres", "Generic resources: gpu:1"],
  ["time", "LIMIT", "time", "Time limit: minutes, or [days-]hours:minutes:seconds"],
  ["account", "NAME", "account", "Account to charge"],
  ["qos", "NAME", "qos", "Quality of service"],
  ["constraint", "LIST", "constraint", "Features of the node"],
  ["nodes", "N", "nodes", "Number of nodes, or a range"],
  ["ntasks", "N", "tasks", "Number of tasks"],
  ["cpus", "N", "cpus", "CPUs a task"],
  ["mem", "SIZE", "memory", "Memory a node: 16G"],
] as const;

const COUNTS: readonly string[] = ["ntasks", "cpus"];

/** Flags of an executor. */
export const EXECUTOR_FLAGS: readonly Flag[] = [
  {
    name: "profile",
    value: "NAME",
    help: "Profile of the configuration file",
    env: ["STREAMRELAY_PROFILE"],
  },
  ...RELAY_FLAGS.map((flag) =>
    flag.name === "url"
      ? {
        ...flag,
        help: "The relay; by default one of this user's on this machine, started where none runs",
      }
      : flag
  ),
  {
    name: "job-url",
    value: "URL",
    help: "The relay as the job sees it, where that is another URL",
    env: ["STREAMRELAY_JOB_URL"],
  },
  {
    name: "encryption",
    value: "VERSION",
    help: "v2 (default), or off, for nodes with nothing but bash and curl",
  },
  ...SLURM_FLAGS.map(([name, value, , help]) => ({
    name,
    value,
    help: `Slurm: ${help}`,
  })),
  { name: "extra", value: "FLAG", help: "Slurm: one more flag of sbatch", many: true },
  { name: "name", value: "NAME", help: "Name of the job" },
  { name: "output", value: "FILE", help: "The job's output file" },
  { name: "error", value: "FILE", help: "The job's error file" },
  { name: "workdir", value: "DIR", help: "Folder the script runs in" },
  {
    name: "setup",
    value: "LINE",
    help: "Line run before the script: module load …",
    many: true,
  },
  {
    name: "env",
    value: "NAME=VALUE",
    help: "Variable of the script's environment; everybody may read it",
    many: true,
  },
];

/** An executor that was chosen. */
export interface ChosenExecutor {
  /** Which kind. */
  kind: "local" | "slurm";
  /** Its configuration. */
  config: SlurmConfig;
}

/**
 * Finds out which executor is meant, and how it is configured: flags win over the profile.
 *
 * @param given What was typed, of {@linkcode EXECUTOR_FLAGS}.
 * @param kind The executor that was typed; the profile's without one.
 * @returns The executor's kind and configuration.
 * @throws {UsageError} For a profile that is unknown, or belongs to another executor.
 */
export async function chosenExecutor(
  given: Given,
  kind: "local" | "slurm" | undefined,
): Promise<ChosenExecutor> {
  const name = given.text("profile");
  const profile = profileOf(await readConfig(), name);
  const { executor, relay, ...options } = profile;
  if (kind && executor && kind !== executor) {
    throw new UsageError(
      `Cannot use profile ${name} with ${kind}: it is one of ${executor}`,
    );
  }
  const chosen = kind ?? executor;
  if (chosen === undefined) {
    throw new UsageError(
      "Cannot tell where to run: expected run local or run slurm, or --profile with an executor",
    );
  }
  const typed = typedOptions(given);
  const slurmOnly = [...SLURM_FLAGS.map(([flag]) => flag), "extra"].find((
    flag,
  ) => given.typed(flag) !== undefined || given.list(flag).length > 0);
  if (chosen === "local" && slurmOnly) {
    throw new UsageError(
      `Cannot use --${slurmOnly} with run local: expected run slurm`,
    );
  }
  return {
    kind: chosen,
    config: withoutUndefined({
      ...options,
      ...typed,
      relay: await chosenRelay(given, relay),
      env: { ...options.env, ...typed.env },
    }),
  };
}

/**
 * Makes the executor.
 *
 * @param chosen What {@linkcode chosenExecutor} found.
 * @returns The executor.
 */
export function makeExecutor(
  { kind, config }: ChosenExecutor,
): Executor<ExecutorConfig> {
  return kind === "slurm"
    ? new SlurmExecutor(config) as Executor<ExecutorConfig>
    : new LocalExecutor(config) as Executor<ExecutorConfig>;
}

function typedOptions(given: Given): SlurmConfig {
  const typed: Record<string, unknown> = {};
  for (const [flag, , option] of SLURM_FLAGS) {
    typed[option] = COUNTS.includes(flag) ? given.number(flag) : given.typed(flag);
  }
  typed.encryption = given.choice("encryption", ["v2", "off"]);
  for (const name of ["name", "output", "error", "workdir"]) {
    typed[name] = given.typed(name);
  }
  for (const name of ["extra", "setup"]) {
    if (given.list(name).length > 0) typed[name] = given.list(name);
  }
  typed.env = Object.fromEntries(
    given.list("env").map((pair) => {
      const at = pair.indexOf("=");
      if (at < 1) {
        throw new UsageError(
          `Cannot parse --env ${JSON.stringify(pair)}: expected NAME=VALUE`,
        );
      }
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
  return withoutUndefined(typed);
}

async function chosenRelay(
  given: Given,
  configured: Profile["relay"],
): Promise<SlurmConfig["relay"]> {
  const url = given.text("url");
  const token = await typedSecret(given, "token");
  const jobUrl = given.text("job-url");
  if (url === undefined) {
    const relay = await relayOf(configured);
    if (typeof relay === "object") {
      return { ...relay, ...(jobUrl && { jobUrl }), ...(token && { token }) };
    }
    return relay;
  }
  const credential = await creatorToken(given, url);
  return {
    url,
    ...(jobUrl && { jobUrl }),
    ...(credential && { token: credential }),
  };
}

function withoutUndefined<T extends Record<string, unknown>>(from: T): T {
  return Object.fromEntries(
    Object.entries(from).filter(([, value]) => value !== undefined),
  ) as T;
}
