/** Slurm on a login node: real Slurm, real sshd, nothing installed there. @module */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type SlurmConfig, SlurmExecutor } from "../../adapters/mod.ts";
import { StreamError } from "../../stream/mod.ts";
import { executorContract } from "../contract/executor_contract.ts";
import { executorFateContract } from "../contract/executor_fate_contract.ts";
import { executorLoadContract } from "../contract/executor_load_contract.ts";
import { until } from "../tools/until.ts";
import { executorFixture } from "./executor_fixture.ts";
import { needs } from "./needs.ts";
import { runCommand } from "./run_command.ts";
import { slurmFates } from "./slurm_fates.ts";
import { type SshServer, startSshServer } from "./ssh_server.ts";

const { ignore } = needs("slurm", "ssh");
const conf = Deno.env.get("SLURM_CONF");
let server: SshServer;

Deno.test.beforeAll(async () => {
  if (ignore) return;
  // the login node knows its cluster; this side does not
  server = await startSshServer({ extra: `SetEnv SLURM_CONF=${conf}` });
  Deno.env.delete("SLURM_CONF");
});

Deno.test.afterAll(async () => {
  if (ignore) return;
  Deno.env.set("SLURM_CONF", conf!);
  await server.stop();
});

function make(config: SlurmConfig = {}): SlurmExecutor {
  return new SlurmExecutor({ ...config, via: { ssh: server.host, config: server.config } });
}

executorContract({ name: "slurm via ssh", make, ignore });
executorLoadContract({ name: "slurm via ssh", make, ignore });
executorFateContract({
  name: "slurm via ssh",
  make,
  ignore,
  ...slurmFates(
    (config) => config.via ? new SlurmExecutor(config) : make(config),
    async (other, test) => {
      const login = await startSshServer({ extra: `SetEnv SLURM_CONF=${other}` });
      try {
        await test({ via: { ssh: login.host, config: login.config } });
      } finally {
        await login.stop();
      }
    },
  ),
});

Deno.test({
  name: "slurm via ssh - directives, also of a script that is there, are honoured",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { config, dir } = fixture;
    const script = `${dir}/there.sh`;
    await Deno.writeTextFile(
      script,
      "#!/bin/bash\n#SBATCH --job-name=there --time=3\necho $SLURM_JOB_NAME; squeue -h -j $SLURM_JOB_ID -o %l\n",
    );
    const executor = make(config);
    for (const way of [script, { remote: script }]) {
      assertEquals(await executor.stream(way).text(), "there\n3:00\n");
    }
  },
});

Deno.test({
  name: "slurm via ssh - the submitter's environment, prompt and token stay out of every argument",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { config, dir, secret } = fixture;
    const log = `${dir}/arguments`;
    await Deno.writeTextFile(
      `${dir}/ssh`,
      `#!/bin/bash\nprintf '%s\\n' "$@" >>${log}\nexec ssh "$@"\n`,
    );
    await Deno.chmod(`${dir}/ssh`, 0o755);
    Deno.env.set("ONLY_HERE", "only-here");
    try {
      const executor = new SlurmExecutor({
        ...config,
        via: { ssh: server.host, config: server.config, program: `${dir}/ssh` },
        env: { ASKED: "asked-for" },
      });
      const text = await executor.stream({ text: "cat; env" }, "the-prompt\n", {
        args: ["an-argument"],
      }).text();
      assertStringIncludes(text, "the-prompt\n");
      assertStringIncludes(text, "ASKED=asked-for");
      assert(!text.includes("only-here"));
    } finally {
      Deno.env.delete("ONLY_HERE");
    }
    const said = await Deno.readTextFile(log);
    assertStringIncludes(said, "bash -l -s");
    for (const hidden of ["the-prompt", "asked-for", "an-argument", "sbatch", "eyJ", secret]) {
      assert(!said.includes(hidden), hidden);
    }
  },
});

Deno.test({
  name: "slurm via ssh - credentials go by a file there, and are removed",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { config, dir } = fixture;
    const folder = `${dir}/creden tials`;
    const stream = make({ ...config, credentials: "file", credentialsFolder: folder })
      .stream({ text: `#!/bin/bash\nstat -c %a '${folder}'/*` });
    assertEquals(await stream.text(), "600\n");
    await stream.result;
    await until("it is removed", () => [...Deno.readDirSync(folder)].length === 0);
  },
});

Deno.test({
  name: "slurm via ssh - what sbatch refuses, and what isn't there, is told",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { config } = fixture;
    const refused = await assertRejects(
      () => make({ ...config, partition: "nowhere" }).stream({ text: "true" }).text(),
      StreamError,
      "invalid partition specified: nowhere",
    );
    assertEquals(refused.code, "submit_failed");
    const missing = await assertRejects(
      () => make({ ...config, bin: "/no/such/bin" }).stream({ text: "true" }).text(),
      StreamError,
      "/no/such/bin/sbatch was not found on hpc",
    );
    assertEquals(missing.code, "submit_failed");
    const relay = await assertRejects(
      () => make({ ...config, relay: "embedded" }).stream({ text: "true" }).text(),
      StreamError,
      "expected relay.url",
    );
    assertEquals(relay.code, "bad_request");
  },
});

Deno.test({
  name: "slurm via ssh - a dead connection is told while a job waits, and taken up again",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const script = (name: string) => new URL(name, import.meta.url).pathname;
    const stream = make({ ...fixture.config, extra: ["--hold"] }).stream({ text: "echo late" });
    let text = "";
    let told = "";
    await stream.onChunk(async (event) => {
      if (event.type === "token") text += event.content;
      if (event.type !== "status" || event.state !== "queued") return;
      if (event.reason === "JobHeldUser" && told === "") {
        await runCommand(["bash", script("sshd-down.sh"), server.dir]);
      } else if (event.reason?.includes("could not be asked") && told === "") {
        told = event.reason;
        await runCommand(["bash", script("sshd-up.sh"), server.dir], {
          env: { SSHD_EXTRA: `SetEnv SLURM_CONF=${conf}` },
        });
        await runCommand(["scontrol", "release", event.jobId!], { env: { SLURM_CONF: conf! } });
      }
    });
    assertEquals(text, "late\n");
    assertStringIncludes(told, "Cannot reach hpc by ssh");
  },
});
