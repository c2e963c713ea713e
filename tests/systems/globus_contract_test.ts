/** The contract of executors on a real endpoint. @module */
import { GlobusComputeExecutor } from "../../adapters/mod.ts";
import { executorContract } from "../contract/executor_contract.ts";
import { globusConfig } from "./globus_config.ts";
import { inContract } from "./globus_in_contract.ts";
import { needs } from "./needs.ts";

executorContract({
  name: "globus",
  make: (config) => inContract(new GlobusComputeExecutor({ ...config, ...globusConfig() })),
  ...needs("globus"),
});
