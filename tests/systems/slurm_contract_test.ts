import { type ExecutorConfig, SlurmExecutor } from "../../adapters/mod.ts";
import { executorContract } from "../contract/executor_contract.ts";
import { executorFateContract } from "../contract/executor_fate_contract.ts";
import { executorLoadContract } from "../contract/executor_load_contract.ts";
import { needs } from "./needs.ts";
import { slurmFates } from "./slurm_fates.ts";

const contract = {
  name: "slurm",
  make: (config: ExecutorConfig) => new SlurmExecutor(config),
  ...needs("slurm"),
};
executorContract(contract);
executorLoadContract(contract);
executorFateContract({ ...contract, ...slurmFates((config) => new SlurmExecutor(config)) });
