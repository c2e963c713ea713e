/** How the contract of executors gets jobs of Slurm into trouble. @module */
import type { SlurmConfig, SlurmExecutor } from "../../adapters/mod.ts";
import type { ExecutorFates } from "../contract/executor_fate_contract.ts";
import { startSlurmCluster } from "./slurm_cluster.ts";

/**
 * The fates that Slurm tells.
 *
 * @param make Makes an executor.
 * @param on Runs a test with an executor for another cluster; by default this process is told of it.
 * @returns What the contract needs.
 */
export function slurmFates(
  make: (config: SlurmConfig) => SlurmExecutor,
  on: (conf: string, test: (given: SlurmConfig) => Promise<void>) => Promise<void> = here,
): Omit<ExecutorFates, "name" | "make" | "ignore"> {
  return {
    waiting: ({ config }, test) => test(make({ ...config, extra: ["--hold"] })),
    // the shortest limit there is, one minute, is over at once
    limited: {
      options: { time: 1 },
      soon: "scontrol update JobId=$SLURM_JOB_ID EndTime=now+2",
    },
    async hungry({ config }, test) {
      const cluster = await startSlurmCluster({ memory: true });
      try {
        await on(cluster.conf, (given) => test(make({ ...config, ...given, ...LITTLE })));
      } finally {
        await cluster.stop();
      }
    },
    texts: [
      ...["partition", "gres", "time", "defaultTime", "account", "qos", "constraint", "nodes"],
      ...["memory", "name", "output", "error", "ranks", "extra"],
    ],
  };
}

const LITTLE: SlurmConfig = { memory: "150M", producer: { use: ["python3"] } };

async function here(
  conf: string,
  test: (given: SlurmConfig) => Promise<void>,
): Promise<void> {
  const before = Deno.env.get("SLURM_CONF");
  Deno.env.set("SLURM_CONF", conf);
  try {
    await test({});
  } finally {
    if (before === undefined) Deno.env.delete("SLURM_CONF");
    else Deno.env.set("SLURM_CONF", before);
  }
}
