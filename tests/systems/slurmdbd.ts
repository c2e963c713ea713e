/**
 * Slurm with accounting, from Debian's packages: a second cluster beside the one of `slurm`, where jobs
 * are preempted, memory is enforced, and scripts are archived.
 *
 * @module
 */
import { aptInstall } from "./apt_install.ts";
import { otherUser } from "./other_user.ts";
import { type Provided, skipped } from "./provided.ts";
import { runCommand } from "./run_command.ts";
import { PACKAGES, PROGRAMS } from "./slurm.ts";
import { startSlurmCluster } from "./slurm_cluster.ts";

/** Exit code 75 starts a job over. Partitions on the one node, from the first that gives way to the last. */
const CONF = `RequeueExit=75
AccountingStoreFlags=job_comment,job_env,job_script
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
PartitionName=requeued Nodes=ALL MaxTime=60:00 PriorityTier=1 PreemptMode=REQUEUE State=UP
PartitionName=cancelled Nodes=ALL MaxTime=60:00 PriorityTier=1 PreemptMode=CANCEL State=UP
PartitionName=first Nodes=ALL MaxTime=60:00 PriorityTier=10 PreemptMode=OFF State=UP`;

/**
 * Starts a real one-node Slurm with a real slurmdbd on a MariaDB of its own.
 *
 * @returns `STREAMRELAY_TEST_SLURMDBD`: its configuration, for `SLURM_CONF`; and what `slurm` gives for
 * checks "as another user".
 */
export async function provideSlurmdbd(): Promise<Provided> {
  const lack = await aptInstall(
    [...PROGRAMS, "slurmdbd", "mariadbd"],
    [...PACKAGES, "slurmdbd", "mariadb-server"],
  );
  if (lack) return skipped("slurmdbd", lack);
  if (Deno.uid() !== 0) return skipped("slurmdbd", "only root can start its database");
  try {
    const { conf, stop } = await startSlurmCluster({
      cpus: 4,
      privateData: "",
      minJobAge: 10,
      accounting: true,
      memory: true,
      extra: CONF,
    });
    const { stdout } = await runCommand(["sbatch", "--version"], { env: { SLURM_CONF: conf } });
    return {
      name: "slurmdbd",
      kind: "real",
      reason: `${stdout.trim()}, with slurmdbd and MariaDB`,
      env: { STREAMRELAY_TEST_SLURMDBD: conf, ...await otherUser() },
      stop,
    };
  } catch (error) {
    return skipped("slurmdbd", error);
  }
}
