/** Local jobs whose output goes through files: the same contract. @module */
import { LocalExecutor } from "../../../adapters/mod.ts";
import { executorContract } from "../../contract/executor_contract.ts";

Deno.env.set("STREAMRELAY_STATE", await Deno.makeTempDir());

executorContract({
  name: "local executor, by file",
  make: (config) => new LocalExecutor({ ...config, transport: "file" }),
});
