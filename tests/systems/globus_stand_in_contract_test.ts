/** The contract of executors on a stand-in that really executes. @module */
import { type ExecutorConfig, GlobusComputeExecutor } from "../../adapters/mod.ts";
import { executorContract } from "../contract/executor_contract.ts";
import { executorFateContract } from "../contract/executor_fate_contract.ts";
import { executorLoadContract } from "../contract/executor_load_contract.ts";
import { type GlobusStandIn, globusStandIn } from "./globus_stand_in.ts";
import { inContract } from "./globus_in_contract.ts";
import { onPath } from "./on_path.ts";

const ignore = onPath("python3") === undefined;
const shared = ignore ? undefined : globusStandIn();

function on(service: GlobusStandIn, config: ExecutorConfig) {
  return inContract(
    new GlobusComputeExecutor({
      ...config,
      endpoint: service.endpoint,
      login: { token: service.newToken() },
      serviceUrl: service.url,
    }),
  );
}

const contract = {
  name: "globus stand-in",
  ignore,
  make: (config: ExecutorConfig) => on(shared!, config),
};
executorContract(contract);
executorLoadContract(contract);
executorFateContract({
  ...contract,
  async waiting({ config }, test) {
    await using service = globusStandIn({ held: true });
    await test(on(service, config));
    // its task is handed out only now
    service.release();
    await service.idle();
  },
  limited: { options: { time: "0:02" } },
  texts: ["name", "output", "error", "time"],
});
