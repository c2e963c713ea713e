/** PBS on a login node, over a real sshd. @module */
import { assertEquals, assertRejects } from "@std/assert";
import { type PbsConfig, PbsExecutor, StreamError } from "../../adapters/mod.ts";
import { executorContract } from "../contract/executor_contract.ts";
import { executorFateContract } from "../contract/executor_fate_contract.ts";
import { executorLoadContract } from "../contract/executor_load_contract.ts";
import { executorFixture } from "./executor_fixture.ts";
import { needs } from "./needs.ts";
import { pbsFates } from "./pbs_fates.ts";
import { pbsSuite } from "./pbs_suite.ts";
import { type SshServer, startSshServer } from "./ssh_server.ts";

const bin = Deno.env.get("STREAMRELAY_TEST_PBS");

pbsSuite(import.meta.url, needs("pbs", "ssh"), (ignore) => {
  let server: SshServer;
  Deno.test.beforeAll(async () => {
    if (ignore) return;
    server = await startSshServer({
      extra: `SetEnv PBS_CONF_FILE=${Deno.env.get("PBS_CONF_FILE") ?? ""}`,
    });
  });
  Deno.test.afterAll(async () => {
    if (!ignore) await server.stop();
  });
  const make = (config: PbsConfig) =>
    new PbsExecutor({ ...config, bin, via: { ssh: server.host, config: server.config } });

  const contract = { name: "pbs via ssh", make, ignore };
  executorContract(contract);
  executorLoadContract(contract);
  executorFateContract({ ...contract, ...pbsFates(make) });

  Deno.test({
    name: "pbs via ssh - directives of a script that is there are honoured",
    ignore,
    async fn() {
      await using fixture = await executorFixture();
      const { config, dir } = fixture;
      const script = `${dir}/there.sh`;
      await Deno.writeTextFile(script, "#!/bin/bash\n#PBS -N there\necho $PBS_JOBNAME $PWD\n");
      const text = await make(config).stream({ remote: script }).text();
      assertEquals(text, `there ${dir}\n`);
    },
  });

  Deno.test({
    name: "pbs via ssh - the end of an output file there is told",
    ignore,
    async fn() {
      await using fixture = await executorFixture();
      const { config, relay, secret } = fixture;
      const error = await assertRejects(
        () =>
          make({
            ...config,
            relay: { url: relay.url, token: secret, jobUrl: "ws://127.0.0.1:9" },
            jobTimings: { ...config.jobTimings, giveUp: 0.5 },
          }).stream({ text: "echo unheard" }).text(),
        StreamError,
      );
      assertEquals(/127\.0\.0\.1:9/.test(String(error.details.output)), true);
    },
  });
});
