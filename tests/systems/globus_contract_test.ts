/**
 * The contract of executors on a real endpoint. What waits there, because all workers are busy, is in
 * `globus_test.ts`.
 *
 * @module
 */
import { type ExecutorConfig, GlobusComputeExecutor } from "../../adapters/mod.ts";
import { executorContract } from "../contract/executor_contract.ts";
import { executorFateContract } from "../contract/executor_fate_contract.ts";
import { executorLoadContract } from "../contract/executor_load_contract.ts";
import { globusConfig } from "./globus_config.ts";
import { inContract } from "./globus_in_contract.ts";
import { needs } from "./needs.ts";

const contract = {
  name: "globus",
  make: (config: ExecutorConfig) =>
    inContract(new GlobusComputeExecutor({ ...config, ...globusConfig() })),
  ...needs("globus"),
};
executorContract(contract);
executorLoadContract(contract);
executorFateContract({
  ...contract,
  limited: { options: { time: "0:02" } },
  texts: ["name", "output", "error", "time"],
});
