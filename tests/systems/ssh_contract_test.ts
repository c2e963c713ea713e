import { type ExecutorConfig, SshExecutor } from "../../adapters/mod.ts";
import { executorContract } from "../contract/executor_contract.ts";
import { executorFateContract } from "../contract/executor_fate_contract.ts";
import { executorLoadContract } from "../contract/executor_load_contract.ts";
import { needs } from "./needs.ts";

const contract = {
  name: "ssh",
  make: (config: ExecutorConfig) =>
    new SshExecutor({
      ...config,
      host: "hpc",
      sshConfig: Deno.env.get("STREAMRELAY_TEST_SSH"),
    }),
  ...needs("ssh"),
};
executorContract(contract);
executorLoadContract(contract);
executorFateContract({ ...contract, texts: ["name", "output", "error"] });
