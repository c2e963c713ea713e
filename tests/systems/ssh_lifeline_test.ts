/** An ssh job ends with whoever it runs for, however that one goes. @module */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { SshExecutor } from "../../adapters/mod.ts";
import { SshConnection } from "../../adapters/ssh/ssh_connection.ts";
import { StreamError } from "../../stream/mod.ts";
import { until as fileExists } from "../contract/executor_contract.ts";
import { until } from "../tools/until.ts";
import { executorFixture } from "./executor_fixture.ts";
import { needs } from "./needs.ts";
import { startSshServer } from "./ssh_server.ts";

const { ignore } = needs("ssh");
const sshConfig = Deno.env.get("STREAMRELAY_TEST_SSH");

Deno.test({
  name: "ssh lifeline - a submitter that was killed takes the job along",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { dir, relay, secret } = fixture;
    const text =
      `#!/bin/bash\ntrap ': > ${dir}/ended' EXIT\necho $$ > ${dir}/pid; echo go\nsleep 60 & wait`;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", new URL("ssh_submitter.ts", import.meta.url).pathname],
      env: {
        SUBMITTER: JSON.stringify({
          config: { host: "hpc", sshConfig, relay: { url: relay.url, token: secret } },
          text,
        }),
      },
      stdout: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    assertEquals(new TextDecoder().decode((await reader.read()).value), "go\n");
    child.kill("SIGKILL");
    await reader.cancel();
    await child.status;
    await fileExists(`${dir}/ended`);
    const pid = (await Deno.readTextFile(`${dir}/pid`)).trim();
    await until("the program is gone", () => !lives(pid));
  },
});

Deno.test({
  name: "ssh lifeline - a program deaf to SIGTERM is killed with all of its session",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { config, dir } = fixture;
    const stream = new SshExecutor({ ...config, host: "hpc", sshConfig, killAfter: 300 }).stream({
      text:
        `#!/bin/bash\ntrap '' TERM\n(trap '' TERM; echo $BASHPID > ${dir}/pid; sleep 60) &\necho go\nwait`,
    });
    for await (const _ of stream) await stream.cancel();
    assertEquals((await stream.result).reason, "cancelled");
    await fileExists(`${dir}/pid`);
    const pid = (await Deno.readTextFile(`${dir}/pid`)).trim();
    await until("the deaf process is gone", () => !lives(pid));
  },
});

Deno.test({
  name: "ssh lifeline - a connection that is cut ends the job, and the stream says so",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    await using server = await startSshServer();
    const { config, dir } = fixture;
    const { host, config: sshConfig } = server;
    const stream = new SshExecutor({ ...config, host, sshConfig }).stream({
      text: `#!/bin/bash\ntrap ': > ${dir}/ended' EXIT\necho go\nsleep 60 & wait`,
    });
    const error = await assertRejects(async () => {
      for await (const _ of stream) await SshConnection.to({ host, config: sshConfig }).close();
    }, StreamError);
    assertEquals(error.code, "producer_lost");
    assertStringIncludes(error.message, "The ssh connection to hpc was lost, and the job with it");
    await fileExists(`${dir}/ended`);
  },
});

Deno.test({
  name: "ssh lifeline - a daemon left behind holds nothing up",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { config, dir } = fixture;
    const stream = new SshExecutor({ ...config, host: "hpc", sshConfig }).stream({
      text: `#!/bin/bash\nsetsid sleep 60 & echo $! > ${dir}/pid\necho done`,
    });
    assertEquals(await stream.text(), "done\n");
    assertEquals((await stream.result).reason, "completed");
    Deno.kill(Number(await Deno.readTextFile(`${dir}/pid`)), "SIGKILL");
  },
});

Deno.test({
  name: "ssh lifeline - nothing of a job is left in the host's temporary folder",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const tmp = `${fixture.dir}/tmp`;
    await Deno.mkdir(tmp);
    await using own = await startSshServer({ extra: `SetEnv TMPDIR=${tmp}` });
    const executor = new SshExecutor({
      ...fixture.config,
      host: own.host,
      sshConfig: own.config,
    });
    assertEquals(await executor.stream({ text: "echo $TMPDIR" }).text(), `${tmp}\n`);
    await until("the folder is empty", () => [...Deno.readDirSync(tmp)].length === 0);
  },
});

function lives(pid: string): boolean {
  try {
    return !/^State:\s*Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}
