/** What others see of a job over ssh, and of the connection that it runs over. @module */
import { assert, assertEquals } from "@std/assert";
import {
  type SshConfig,
  SshExecutor,
  type Submission,
  type Submitted,
} from "../../adapters/mod.ts";
import { executorFixture } from "./executor_fixture.ts";
import { needs } from "./needs.ts";
import { runCommand } from "./run_command.ts";
import { assertUnseen, PROMPT, secretsIn } from "./seen_secrets.ts";
import { startSshServer } from "./ssh_server.ts";

const { ignore } = needs("ssh");
const other = Deno.env.get("STREAMRELAY_TEST_SSH_USER");

/** Keeps the job script, which holds the secrets that are looked for. */
class Watched extends SshExecutor {
  jobScript = "";
  protected override submitJob(submission: Submission<SshConfig>): Promise<Submitted> {
    this.jobScript = submission.jobScript;
    return super.submitJob(submission);
  }
}

for (const credentials of ["script", "file"] as const) {
  Deno.test({
    name: `ssh secrets - ps, the host's log and other users show none, credentials: ${credentials}`,
    ignore,
    async fn() {
      await using fixture = await executorFixture();
      await using server = await startSshServer({ extra: "LogLevel DEBUG3" });
      const { config, dir, secret } = fixture;
      const credentialsFolder = `${dir}/credentials`;
      const executor = new Watched({
        ...config,
        host: server.host,
        sshConfig: server.config,
        credentials,
        credentialsFolder,
        env: { VALUE: "a-value-of-the-environment" },
      });
      const marker = crypto.randomUUID();
      const stream = executor.stream(
        {
          text: `#!/bin/bash\necho go\nuntil [ -e ${dir}/go ]; do sleep 0.05; done\ncat`,
        },
        PROMPT,
        { args: [marker] },
      );
      let text = "";
      for await (const token of stream) {
        if (text === "") {
          const holder = credentials === "script"
            ? executor.jobScript
            : await onlyFile(credentialsFolder);
          const hidden = [...secretsIn(holder), secret, PROMPT];
          const ps = ["ps", "axww", "-o", "args"];
          await assertUnseen([ps], [...hidden, "a-value-of-the-environment"], marker);
          await assertUnseen([["cat", `${server.dir}/sshd.log`]], hidden, "Accepted publickey");
          if (other !== undefined) {
            const as = (line: string) => ["runuser", "-u", other, "--", "bash", "-c", line];
            await assertUnseen(
              [
                as("cat /proc/[0-9]*/environ 2>&1 | tr '\\0' '\\n'"),
                as("cat /tmp/streamrelay.*/* /tmp/streamrelay-ssh-*/* 2>&1"),
                as(
                  `cat ${credentialsFolder}/* ${
                    Deno.env.get("HOME")
                  }/.local/state/streamrelay/*/* 2>&1`,
                ),
              ],
              [...hidden, "a-value-of-the-environment"],
              "Permission denied",
            );
          }
          await Deno.writeTextFile(`${dir}/go`, "");
        }
        text += token;
      }
      assertEquals(text, `go\n${PROMPT}`);
    },
  });
}

Deno.test({
  name: "ssh secrets - nobody else can use the connection that is shared",
  ignore: ignore || other === undefined,
  async fn() {
    await using fixture = await executorFixture();
    await using server = await startSshServer();
    const before = Deno.env.get("STREAMRELAY_STATE");
    // a folder that everybody may enter, with a name of the ordinary length
    const state = await Deno.makeTempDir({ prefix: "sr-" });
    await Deno.chmod(state, 0o755);
    Deno.env.set("STREAMRELAY_STATE", state);
    try {
      const executor = new SshExecutor({
        ...fixture.config,
        host: server.host,
        sshConfig: server.config,
        persist: 60,
      });
      const [master, answer] = (await executor.stream({
        text: `ls ${state}/ssh; ${check("$(ls -d " + state + "/ssh/*)", server.config)}`,
      }).text()).trim().split("\n");
      assert(/^[0-9a-f]{16}$/.test(master), master);
      assert(answer.includes("Master running"), answer);
      assertEquals((await Deno.stat(`${state}/ssh`)).mode! & 0o777, 0o700);
      // where its folder is opened by mistake the socket itself still belongs to one user
      for (const mode of [0o700, 0o755]) {
        await Deno.chmod(`${state}/ssh`, mode);
        const { code, stdout } = await runCommand([
          ...["runuser", "-u", other!, "--", "bash", "-c"],
          check(`${state}/ssh/${master}`, server.config),
        ]);
        assert(code !== 0 && !stdout.includes("Master running"), stdout);
        assert(/Permission denied|No such file/.test(stdout), stdout);
      }
    } finally {
      if (before === undefined) Deno.env.delete("STREAMRELAY_STATE");
      else Deno.env.set("STREAMRELAY_STATE", before);
    }
    await Deno.remove(state, { recursive: true });
  },
});

function check(socket: string, config: string): string {
  return `ssh -F ${config} -S ${socket} -O check hpc 2>&1`;
}

async function onlyFile(folder: string): Promise<string> {
  const [{ name }] = await Array.fromAsync(Deno.readDir(folder));
  assertEquals((await Deno.stat(`${folder}/${name}`)).mode! & 0o777, 0o600);
  return await Deno.readTextFile(`${folder}/${name}`);
}
