import { assert, assertEquals } from "@std/assert";
import {
  type SlurmConfig,
  SlurmExecutor,
  type Submission,
  type Submitted,
} from "../../adapters/mod.ts";
import { type ExecutorFixture, executorFixture } from "./executor_fixture.ts";
import { needs } from "./needs.ts";
import { runCommand } from "./run_command.ts";
import { startSlurmCluster } from "./slurm_cluster.ts";

const { ignore } = needs("slurm");
const PROMPT = "the-prompt-that-nobody-else-may-see";
const other = Deno.env.get("STREAMRELAY_TEST_OTHER_USER");

/** Keeps the job script, which holds the token that is looked for everywhere. */
class Watched extends SlurmExecutor {
  jobScript = "";
  protected override submitJob(
    submission: Submission<SlurmConfig>,
  ): Promise<Submitted> {
    this.jobScript = submission.jobScript;
    return super.submitJob(submission);
  }
}

/** Everything that somebody else can see of a running job, by where it is seen. */
async function everythingVisible(
  jobId: string,
  conf: string,
): Promise<Map<string, string>> {
  const seen = new Map<string, string>();
  const look = async (...command: string[]) => {
    const { stdout, stderr } = await runCommand(command);
    seen.set(command.join(" "), stdout + stderr);
  };
  await look("ps", "axww", "-o", "args");
  await look("scontrol", "-dd", "show", "job", jobId);
  await look("squeue", "-h", "-j", jobId, "-O", "Command:999,Comment:999");
  if (other !== undefined) {
    const as = ["runuser", "-u", other, "--"];
    await look(...as, "scontrol", "write", "batch_script", jobId, "-");
    await look(...as, "scontrol", "-dd", "show", "job", jobId);
    await look(...as, "bash", "-c", "cat /tmp/streamrelay.*/* 2>&1");
    await look(
      ...as,
      "bash",
      "-c",
      `cat ${folder(conf)}/spool/*/* ${folder(conf)}/ctl/*/*/* 2>&1`,
    );
    await look(
      ...as,
      "bash",
      "-c",
      "cat /proc/[0-9]*/environ 2>&1 | tr '\\0' '\\n'",
    );
  }
  for await (const { name } of Deno.readDir(`${folder(conf)}/log`)) {
    seen.set(name, await Deno.readTextFile(`${folder(conf)}/log/${name}`));
  }
  return seen;
}

function folder(conf: string): string {
  return conf.slice(0, conf.lastIndexOf("/"));
}

async function lookWhileRunning(
  fixture: ExecutorFixture,
  credentials: "script" | "file",
): Promise<void> {
  const { config, dir, secret } = fixture;
  const executor = new Watched({
    ...config,
    credentials,
    credentialsFolder: `${dir}/credentials`,
  });
  const conf = Deno.env.get("SLURM_CONF")!;
  const stream = executor.stream({
    text: `#!/bin/bash\necho go\nuntil [ -e ${dir}/go ]; do sleep 0.05; done\ncat`,
  }, PROMPT);
  let text = "";
  for await (const token of stream) {
    if (text === "") {
      const holder = credentials === "script"
        ? executor.jobScript
        : await credentialFile(`${dir}/credentials`);
      const jwt = /eyJ[\w-]+\.[\w-]+\.[\w-]+/.exec(holder)?.[0];
      assert(jwt, "the job has a token");
      if (credentials === "file") assert(!executor.jobScript.includes(jwt));
      assert(!executor.jobScript.includes(secret));
      assert(!executor.jobScript.includes(PROMPT));
      for (const [where, what] of await everythingVisible(stream.job.id!, conf)) {
        for (const hidden of [jwt, secret, PROMPT]) {
          assert(!what.includes(hidden), `${where} shows ${hidden}`);
        }
      }
      await Deno.writeTextFile(`${dir}/go`, "");
    }
    text += token;
  }
  assertEquals(text, `go\n${PROMPT}`);
  if (credentials === "file") {
    for await (const { name } of Deno.readDir(`${dir}/credentials`)) {
      assert(false, `${name} was left behind`);
    }
  }
}

async function credentialFile(path: string): Promise<string> {
  for await (const { name } of Deno.readDir(path)) {
    const file = `${path}/${name}`;
    assertEquals((await Deno.stat(file)).mode! & 0o777, 0o600);
    return await Deno.readTextFile(file);
  }
  throw new Error(`Nothing in ${path}`);
}

for (const credentials of ["script", "file"] as const) {
  Deno.test({
    name: `slurm secrets - nobody sees a secret or the prompt, credentials: ${credentials}`,
    ignore,
    async fn() {
      await using fixture = await executorFixture();
      await lookWhileRunning(fixture, credentials);
    },
  });
}

Deno.test({
  name: "slurm secrets - nor on a cluster that shows every job to everybody",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const conf = Deno.env.get("SLURM_CONF");
    const cluster = await startSlurmCluster({ privateData: "" });
    Deno.env.set("SLURM_CONF", cluster.conf);
    try {
      await lookWhileRunning(fixture, "script");
      const held = new SlurmExecutor({ ...fixture.config, extra: ["--hold"] })
        .stream({ text: "echo never" });
      await held.onChunk(async (event) => {
        if (event.type !== "status" || event.state !== "queued") return;
        assertEquals(event.reason, "JobHeldUser");
        await held.cancel();
      });
    } finally {
      if (conf === undefined) Deno.env.delete("SLURM_CONF");
      else Deno.env.set("SLURM_CONF", conf);
      await cluster.stop();
    }
  },
});
