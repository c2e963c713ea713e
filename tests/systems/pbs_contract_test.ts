import { type ExecutorConfig, PbsExecutor } from "../../adapters/mod.ts";
import { executorContract } from "../contract/executor_contract.ts";
import { executorFateContract } from "../contract/executor_fate_contract.ts";
import { executorLoadContract } from "../contract/executor_load_contract.ts";
import { needs } from "./needs.ts";
import { pbsFates } from "./pbs_fates.ts";
import { pbsSuite } from "./pbs_suite.ts";

pbsSuite(import.meta.url, needs("pbs"), (ignore) => {
  const bin = Deno.env.get("STREAMRELAY_TEST_PBS");
  const contract = {
    name: "pbs",
    make: (config: ExecutorConfig) => new PbsExecutor({ ...config, bin }),
    ignore,
  };
  executorContract(contract);
  executorLoadContract(contract);
  executorFateContract({ ...contract, ...pbsFates(contract.make) });
});
