/** Slurm, from Debian's packages, on a cluster of the runner's own. @module */
import { aptInstall } from "./apt_install.ts";
import { otherUser } from "./other_user.ts";
import { type Provided, skipped } from "./provided.ts";
import { runCommand } from "./run_command.ts";
import { startSlurmCluster } from "./slurm_cluster.ts";

/** What a cluster needs, besides what accounting needs. */
export const PROGRAMS = ["munged", "slurmctld", "slurmd", "sbatch", "squeue"];
/** The packages that hold it. */
export const PACKAGES = [
  "slurm-wlm",
  "munge",
  "slurm-wlm-basic-plugins",
  "slurm-client",
  "slurmctld",
  "slurmd",
];

/**
 * Starts a real one-node Slurm.
 *
 * @returns `SLURM_CONF`, `STREAMRELAY_TEST_SLURM`, and, where there can be one,
 * `STREAMRELAY_TEST_OTHER_USER`: an unprivileged account for checks "as another user".
 */
export async function provideSlurm(): Promise<Provided> {
  const lack = await aptInstall(PROGRAMS, PACKAGES);
  if (lack) return skipped("slurm", lack);
  try {
    const cluster = await startSlurmCluster();
    const env = { SLURM_CONF: cluster.conf };
    const { stdout } = await runCommand(["sbatch", "--version"], { env });
    return {
      name: "slurm",
      kind: "real",
      reason: stdout.trim(),
      env: {
        ...env,
        STREAMRELAY_TEST_SLURM: "1",
        ...await otherUser(),
      },
      stop: cluster.stop,
    };
  } catch (error) {
    return skipped("slurm", error);
  }
}
