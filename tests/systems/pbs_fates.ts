/** How the contract of executors gets jobs of PBS into trouble. @module */
import type { PbsConfig, PbsExecutor } from "../../adapters/mod.ts";
import type { ExecutorFates } from "../contract/executor_fate_contract.ts";

/**
 * The fates that PBS tells.
 *
 * @param make Makes an executor.
 * @returns What the contract needs.
 */
export function pbsFates(
  make: (config: PbsConfig) => PbsExecutor,
): Omit<ExecutorFates, "name" | "make" | "ignore"> {
  // a real one kills for memory where its nodes are set up to ("$enforce mem"), which a test can't do
  const real = Deno.env.get("STREAMRELAY_TEST_PBS_REAL") !== undefined;
  return {
    waiting: ({ config }, test) => test(make({ ...config, extra: ["-h"] })),
    limited: { options: { time: "0:05" } },
    ...(!real && {
      hungry: ({ config }, test) =>
        test(make({ ...config, memory: "150M", producer: { use: ["python3"] } })),
    }),
    texts: [
      ...["queue", "select", "memory", "place", "time", "defaultTime", "account", "project"],
      ...["name", "output", "error", "keep", "extra"],
    ],
  };
}
