import { SlurmExecutor } from "../../adapters/mod.ts";
import { executorContract } from "../contract/executor_contract.ts";
import { needs } from "./needs.ts";

executorContract({
  name: "slurm",
  make: (config) => new SlurmExecutor(config),
  ...needs("slurm"),
});
