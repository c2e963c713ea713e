import { type ExecutorConfig, SlurmExecutor } from "../../adapters/mod.ts";
import { executorContract } from "../contract/executor_contract.ts";
import { executorLoadContract } from "../contract/executor_load_contract.ts";
import { needs } from "./needs.ts";

const contract = {
  name: "slurm",
  make: (config: ExecutorConfig) => new SlurmExecutor(config),
  ...needs("slurm"),
};
executorContract(contract);
executorLoadContract(contract);
