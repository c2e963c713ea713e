/** A host that reaches no relay: its jobs are followed over the ssh connection that runs them. @module */
import { assertEquals } from "@std/assert";
import { type SshConfig, SshExecutor } from "../../adapters/mod.ts";
import { executorContract } from "../contract/executor_contract.ts";
import { executorFixture } from "./executor_fixture.ts";
import { needs } from "./needs.ts";
import { startSshServer } from "./ssh_server.ts";

const { ignore } = needs("ssh");
const sshConfig = Deno.env.get("STREAMRELAY_TEST_SSH");

const make = (config: Partial<SshConfig>): SshExecutor =>
  new SshExecutor({
    host: "hpc",
    sshConfig,
    ...config,
    transport: "file",
    spoolFolder: `${config.workdir}/spool`,
  });

executorContract({ name: "ssh, by file", make, ignore });

Deno.test({
  name: "ssh, by file - a site that allows one command, and no forwarding",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { config, dir } = fixture;
    await Deno.writeTextFile(
      `${dir}/forced`,
      `#!/bin/bash
echo "$SSH_ORIGINAL_COMMAND" >>${dir}/asked
[ "$SSH_ORIGINAL_COMMAND" = 'bash -l -s' ] && exec bash -l -s
exit 1
`,
    );
    await Deno.chmod(`${dir}/forced`, 0o755);
    await using server = await startSshServer({
      extra: `ForceCommand ${dir}/forced\nAllowTcpForwarding no`,
    });
    const executor = make({ ...config, sshConfig: server.config });
    assertEquals(await executor.stream({ text: "cat; seq 1 3" }, "in\n").text(), "in\n1\n2\n3\n");
    const asked = (await Deno.readTextFile(`${dir}/asked`)).trim().split("\n");
    assertEquals([...new Set(asked)], ["bash -l -s"]);
  },
});

Deno.test({
  name: "ssh, by file - six streams at once",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const executor = make(fixture.config);
    const texts = await Promise.all(
      Array.from(
        { length: 6 },
        (_, i) =>
          executor.stream({ text: `for i in 1 2 3 4 5; do echo ${i}.$i; sleep 0.1; done` }).text(),
      ),
    );
    assertEquals(
      texts,
      Array.from({ length: 6 }, (_, i) => [1, 2, 3, 4, 5].map((n) => `${i}.${n}\n`).join("")),
    );
  },
});
