/** A private one-node Slurm cluster. @module */
import { runCommand } from "./run_command.ts";

/** Options of {@linkcode startSlurmCluster}. */
export interface SlurmClusterOptions {
  /**
   * CPUs the node is said to have; one-CPU jobs beyond that wait.
   *
   * @default {64}
   */
  cpus?: number;
  /**
   * Nodes it has: each a slurmd of this machine, so that their files and networks are the same.
   *
   * @default {1}
   */
  nodes?: number;
  /**
   * Slurm's `PrivateData`; empty: everybody sees every job.
   *
   * @default {"jobs,usage"}
   */
  privateData?: string;
  /**
   * Seconds that a finished job stays visible.
   *
   * @default {300}
   */
  minJobAge?: number;
  /**
   * Whether it has a slurmdbd with a database of its own, for `sacct`; root alone can start one.
   *
   * @default {false}
   */
  accounting?: boolean;
  /**
   * Whether memory is allotted (400 MB a CPU), and a job killed that uses more: by Slurm itself, which
   * looks at the processes every second and needs no cgroups.
   *
   * @default {false}
   */
  memory?: boolean;
  /** Further lines of slurm.conf. */
  extra?: string;
}

/** A running cluster. */
export interface SlurmCluster {
  /** Its configuration, for `SLURM_CONF`. */
  conf: string;
  /** Its folder; the logs are under `log/`. */
  dir: string;
  /** Ends its jobs and daemons, by their ids, and removes its folder. */
  stop(): Promise<void>;
}

/**
 * Starts a cluster of its own in a temporary folder, listening on 127.0.0.1 only.
 * Partitions: `main` (the default) and `tiny` (at most one minute).
 *
 * @param options What is special about it.
 * @returns The running cluster.
 * @throws {Error} if it doesn't come up, with the end of its logs.
 */
export async function startSlurmCluster(
  options: SlurmClusterOptions = {},
): Promise<SlurmCluster> {
  const dir = await Deno.makeTempDir({ prefix: "streamrelay-slurm-" });
  const stop = async () => {
    await runCommand(["bash", script("slurm-down.sh"), dir, "--purge"]);
  };
  const up = async (name: string, env: Record<string, string> = {}) => {
    const { code, stderr } = await runCommand(["bash", script(name), dir], { env });
    if (code === 0) return;
    await stop();
    throw new Error(`Cannot start Slurm: ${stderr.trim()}`);
  };
  if (options.accounting) await up("slurm-acct-up.sh");
  await up("slurm-up.sh", {
    SLURM_CPUS: `${options.cpus ?? 64}`,
    SLURM_NODES: `${options.nodes ?? 1}`,
    SLURM_PRIVATE_DATA: options.privateData ?? "jobs,usage",
    SLURM_MIN_JOB_AGE: `${options.minJobAge ?? 300}`,
    SLURM_MEMORY: options.memory ? "job" : "",
    SLURM_EXTRA: options.extra ?? "",
  });
  return { conf: `${dir}/slurm.conf`, dir, stop };
}

function script(name: string): string {
  return new URL(name, import.meta.url).pathname;
}
