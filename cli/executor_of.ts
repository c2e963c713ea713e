/**
 * An executor, from what was typed and what the configuration says.
 *
 * @module
 */
import {
  type Executor,
  type ExecutorConfig,
  GlobusComputeExecutor,
  LocalExecutor,
  PbsExecutor,
  SlurmExecutor,
  type SshConfig,
  SshExecutor,
} from "../adapters/mod.ts";
import { creatorToken } from "./channel_address.ts";
import { profileOf, readConfig, relayOf } from "./config.ts";
import { typedOptions } from "./executor_flags.ts";
import { EXECUTOR_KINDS, type ExecutorKind, orOf } from "./executor_kind.ts";
import type { Given } from "./given.ts";
import { globusLoginOf } from "./globus_login_of.ts";
import { type Profile, strayOption } from "./profile.ts";
import { typedSecret } from "./secret_of.ts";
import { UsageError } from "./usage_error.ts";

/** An executor that was chosen. */
export interface ChosenExecutor {
  /** Which kind. */
  kind: ExecutorKind;
  /** Its configuration. */
  config: ExecutorConfig;
}

/** What has to be said of where a job is to run. */
const PLACES: Partial<Record<ExecutorKind, { option: string; flag: string }>> = {
  ssh: { option: "host", flag: "--host HOST" },
  globus: { option: "endpoint", flag: "--endpoint UUID" },
};

/**
 * Finds out which executor is meant, and how it is configured: flags win over the profile.
 *
 * @param given What was typed, of `EXECUTOR_FLAGS`.
 * @param kind The executor that was typed; the profile's without one.
 * @returns The executor's kind and configuration.
 * @throws {UsageError} For a profile that is unknown, or belongs to another executor.
 */
export async function chosenExecutor(
  given: Given,
  kind: ExecutorKind | undefined,
): Promise<ChosenExecutor> {
  const name = given.text("profile");
  const profile = profileOf(await readConfig(), name);
  const { executor, relay, login, ...options } = profile;
  if (kind && executor && kind !== executor) {
    throw new UsageError(
      `Cannot use profile ${name} with ${kind}: it is one of ${executor}`,
    );
  }
  const chosen = kind ?? executor;
  if (chosen === undefined) {
    const ways = EXECUTOR_KINDS.map((kind) => `run ${kind}`);
    throw new UsageError(
      `Cannot tell where to run: expected ${orOf(ways)}, or --profile with an executor`,
    );
  }
  const stray = strayOption(profile, chosen);
  if (stray) {
    throw new UsageError(
      `Cannot use ${stray.option} of profile ${name} with run ${chosen}: ${lower(stray.message)}`,
    );
  }
  const config = merged(options, typedOptions(given, chosen));
  const place = PLACES[chosen];
  if (place && config[place.option] === undefined) {
    throw new UsageError(
      `Cannot tell where to run: expected ${place.flag}, or a profile with ${place.option}`,
    );
  }
  const { via } = config as { via?: { ssh?: string } };
  if (via && via.ssh === undefined) {
    throw new UsageError(`Cannot use --ssh-config with run ${chosen} alone: expected --via, too`);
  }
  const chosenRelayOf = await chosenRelay(given, relay);
  const account = await globusLoginOf(login);
  return {
    kind: chosen,
    config: {
      ...config,
      ...(chosenRelayOf && { relay: chosenRelayOf }),
      ...(account && { login: account }),
    },
  };
}

/**
 * Makes the executor.
 *
 * @param chosen What {@linkcode chosenExecutor} found.
 * @returns The executor.
 */
export function makeExecutor({ kind, config }: ChosenExecutor): Executor {
  return executor(kind, config) as Executor;
}

function executor(kind: ExecutorKind, config: ExecutorConfig): unknown {
  switch (kind) {
    case "local":
      // another terminal can read and cancel it while it runs
      return new LocalExecutor({ record: true, ...config });
    case "slurm":
      return new SlurmExecutor(config);
    case "pbs":
      return new PbsExecutor(config);
    case "ssh":
      return new SshExecutor({ record: true, ...config } as SshConfig);
    case "globus":
      return new GlobusComputeExecutor(config);
  }
}

/** What was typed wins, within what has several parts too. */
function merged(
  configured: Record<string, unknown>,
  typed: Record<string, unknown>,
): Record<string, unknown> {
  const result = { ...configured };
  for (const [name, value] of Object.entries(typed)) {
    result[name] = isParts(value) && isParts(result[name]) ? { ...result[name], ...value } : value;
  }
  return result;
}

function isParts(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function lower(sentence: string): string {
  return sentence[0].toLowerCase() + sentence.slice(1);
}

async function chosenRelay(
  given: Given,
  configured: Profile["relay"],
): Promise<ExecutorConfig["relay"]> {
  const place = given.choice("relay", ["embedded", "via"]);
  if (place !== undefined) {
    if (given.typed("url") === undefined) return place;
    throw new UsageError("Cannot use --relay with --url: expected one of them");
  }
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
