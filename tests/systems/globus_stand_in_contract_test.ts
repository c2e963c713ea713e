/** The contract of executors on a stand-in that really executes. @module */
import { GlobusComputeExecutor } from "../../adapters/mod.ts";
import { executorContract } from "../contract/executor_contract.ts";
import { globusStandIn } from "./globus_stand_in.ts";
import { inContract } from "./globus_in_contract.ts";
import { onPath } from "./on_path.ts";

const ignore = onPath("python3") === undefined;
const service = ignore ? undefined : globusStandIn();

executorContract({
  name: "globus stand-in",
  ignore,
  make: (config) =>
    inContract(
      new GlobusComputeExecutor({
        ...config,
        endpoint: service!.endpoint,
        login: { token: service!.newToken() },
        serviceUrl: service!.url,
      }),
    ),
});
