/** @module */
import type { NodeConfiguration } from "../adapters/doctor/diagnose.ts";
import type { ProgramRunner } from "../adapters/program_runner.ts";
import { parseSlurmSite } from "../adapters/slurm/slurm_site.ts";
import type { ChosenExecutor } from "./executor_of.ts";

/**
 * A profile of the configuration file for jobs on a node that was examined.
 *
 * @param chosen The executor, and how it was configured.
 * @param found What was found out on the node.
 * @param programs Runs programs where the scheduler's are.
 * @returns The profile, without the relay's token.
 */
export async function profileFor(
  { kind, config }: ChosenExecutor,
  found: NodeConfiguration,
  programs: Pick<ProgramRunner, "run">,
): Promise<Record<string, unknown>> {
  const { relay, env = {}, ...options } = config;
  const { token: _, ...place } = typeof relay === "object" ? relay : {};
  const all = { ...env, ...found.env };
  const archives = kind === "slurm" && await archivesScripts(config, programs);
  return {
    executor: kind,
    ...options,
    ...(relay !== undefined && { relay: typeof relay === "string" ? relay : place }),
    ...(archives && { credentials: "file" }),
    ...found,
    ...(Object.keys(all).length > 0 && { env: all }),
  };
}

/** A Slurm that does not say is asked again by the executor, for each job. */
async function archivesScripts(
  config: object,
  programs: Pick<ProgramRunner, "run">,
): Promise<boolean> {
  const { bin } = config as { bin?: string };
  const scontrol = bin === undefined ? "scontrol" : `${bin}/scontrol`;
  const site = await programs.run(scontrol, ["show", "config"]).catch(() => undefined);
  return parseSlurmSite(site?.stdout ?? "").archivesScripts;
}
