/** Jobs of a real Slurm that reach no relay, followed over a real sshd: the same events and ends. @module */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type SlurmConfig, SlurmExecutor } from "../../adapters/mod.ts";
import { ControlClient } from "../../client/mod.ts";
import { StreamError } from "../../stream/mod.ts";
import { executorContract } from "../contract/executor_contract.ts";
import { executorLoadContract } from "../contract/executor_load_contract.ts";
import { until } from "../tools/until.ts";
import { PRODUCER_KINDS } from "../unit/adapters/producers/producer_kinds.ts";
import { executorFixture } from "./executor_fixture.ts";
import { loginNode } from "./login_node.ts";
import { needs } from "./needs.ts";
import { runCommand } from "./run_command.ts";

const { ignore } = needs("slurm", "ssh", "node22");
const login = loginNode(ignore);

function make(config: SlurmConfig = {}, sshConfig = login.server.config): SlurmExecutor {
  return new SlurmExecutor({
    ...config,
    timings: { ...config.timings, spoolEvery: 100, spoolRetry: 300 },
    transport: "file",
    spoolFolder: `${config.workdir}/spo ol`,
    via: { ssh: login.server.host, config: sshConfig },
  });
}

executorContract({ name: "slurm via ssh, by file", make, ignore });
executorLoadContract({ name: "slurm via ssh, by file", make, ignore });

const unshare = ignore ? 1 : (await runCommand(["unshare", "-n", "true"])).code;

for (const kind of PRODUCER_KINDS) {
  Deno.test({
    name: `slurm via ssh, by file - ${kind.name} streams from where there is no network at all`,
    ignore: ignore || kind.ignore || unshare !== 0,
    async fn() {
      await using fixture = await executorFixture();
      const { config, dir } = fixture;
      const path = `${dir}/alone`;
      const command = kind.command.map((word) => `'${word}'`).join(" ");
      await Deno.writeTextFile(path, `#!/bin/bash\nexec unshare -n ${command} "$@"\n`);
      await Deno.chmod(path, 0o755);
      const encryption = kind.name === "bash + curl" ? "off" : "v2";
      const executor = make({ ...config, producer: { path, use: [] }, encryption });
      const stream = executor.stream({
        text: `#!/bin/bash\ncat; for byte in e2 82 ac; do
printf "\\x$byte"; sleep 0.1; done; seq 1 5000; printf '\\0'; echo gone >&2; exit 3`,
      }, "in\n");
      let text = "";
      const error = await assertRejects(async () => {
        for await (const token of stream) text += token;
      }, StreamError);
      const numbers = Array.from({ length: 5_000 }, (_, i) => `${i + 1}\n`).join("");
      assertEquals(text, `in\n€${numbers}\0`);
      assertEquals(error.code, "job_failed");
      assertEquals(error.details.exitCode, 3);
      assertStringIncludes(String(error.details.stderr), "gone");
    },
  });
}

Deno.test({
  name:
    "slurm via ssh, by file - only its user can read the spool, it holds no text, and it is removed",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { config, dir, relay } = fixture;
    const stream = make(config).stream({
      text: `#!/bin/bash
cat
scontrol write batch_script $SLURM_JOB_ID -
until [ -e ${dir}/go ]; do sleep 0.05; done`,
    }, "the prompt\n");
    const folder = `${dir}/spo ol`;
    let text = "";
    for await (const token of stream) {
      text += token;
      if (!text.includes("sr_main; exit") || text.includes("\u0000seen")) continue;
      text += "\u0000seen";
      const { stdout } = await runCommand(["find", folder, "-printf", "%y%m %f\n"]);
      const seen = stdout.split("\n");
      for (const one of ["f600 1.spool", "f600 input", "f600 cancel", "d700 1.claim"]) {
        assert(seen.includes(one), stdout);
      }
      const grep = await runCommand(["grep", "-rac", "the prompt", folder]);
      assertEquals(grep.stdout.replace(/.*:0\n/g, ""), "");
      await Deno.writeTextFile(`${dir}/go`, "");
    }
    assertStringIncludes(text, "the prompt\n");
    // the job knows neither a relay nor a token
    assert(!text.includes(relay.url));
    assert(!/eyJ[\w-]+\.[\w-]+\./.test(text));
    assertStringIncludes(text, "sr_token=''");
    await until("it is removed", () => [...Deno.readDirSync(folder)].length === 0);
  },
});

Deno.test({
  name: "slurm via ssh, by file - scancel from outside is told as it is",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const stream = make(fixture.config).stream({ text: "#!/bin/bash\necho go\nexec sleep 60" });
    const error = await assertRejects(async () => {
      for await (const _ of stream) {
        await runCommand(["scancel", stream.job.id!], { env: { SLURM_CONF: login.conf } });
      }
    }, StreamError);
    assertEquals(error.code, "job_cancelled");
  },
});

Deno.test({
  name: "slurm via ssh, by file - a job that dies without a word is explained",
  ignore,
  async fn() {
    await using fixture = await executorFixture({ postTimeout: 1 });
    const { config } = fixture;
    const executor = make({ ...config, jobTimings: { ...config.jobTimings, heartbeat: 0.3 } });
    const stream = executor.stream({ text: "#!/bin/bash\necho go\nexec sleep 60" });
    const error = await assertRejects(async () => {
      for await (const _ of stream) {
        await runCommand(["scancel", "--full", "--signal=KILL", stream.job.id!], {
          env: { SLURM_CONF: login.conf },
        });
      }
    }, StreamError);
    assert(["job_failed", "job_cancelled"].includes(error.code), error.code);
  },
});

Deno.test({
  name:
    "slurm via ssh, by file - a cancel that the scheduler does not carry out is found in the spool",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { config, dir } = fixture;
    const deaf = `${dir}/bin`;
    await Deno.mkdir(deaf);
    for (const name of ["sbatch", "squeue", "scontrol", "sinfo"]) {
      await Deno.symlink(
        (await runCommand(["sh", "-c", `command -v ${name}`])).stdout.trim(),
        `${deaf}/${name}`,
      );
    }
    await Deno.writeTextFile(`${deaf}/scancel`, "#!/bin/bash\necho not now >&2\nexit 1\n");
    await Deno.chmod(`${deaf}/scancel`, 0o755);
    const executor = make({
      ...config,
      bin: deaf,
      jobTimings: { ...config.jobTimings, look: 0.2 },
    });
    const stream = executor.stream({
      text: `#!/bin/bash\ntrap ': >${dir}/ended; exit' TERM\necho go\nsleep 60 & wait`,
    });
    for await (const _ of stream) await stream.cancel("enough");
    const { reason, error } = await stream.result;
    assertEquals(reason, "cancelled");
    assertStringIncludes(error!.message, "enough");
    await until("the job has ended", () => Deno.stat(`${dir}/ended`).then(() => true, () => false));
  },
});

Deno.test({
  name: "slurm via ssh, by file - a connection that is cut is taken up where it was",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { config, dir } = fixture;
    // with a socket of its own, so that the connection's process can be asked for
    const sshConfig = `${dir}/ssh_config`;
    await Deno.writeTextFile(
      sshConfig,
      `ControlPath ${dir}/master\n${await Deno.readTextFile(login.server.config)}`,
    );
    const executor = make(config, sshConfig);
    const stream = executor.stream({
      text: `#!/bin/bash
for i in $(seq 1 400); do
echo "line $i é"
if [ $((i % 100)) = 0 ] && [ $i != 400 ]; then until [ -e ${dir}/go$i ]; do sleep 0.05; done; fi
done`,
    });
    let text = "";
    let cuts = 0;
    const told: string[] = [];
    await stream.onChunk(async (event) => {
      if (event.type === "status" && event.state === "disconnected") told.push(event.reason ?? "");
      if (event.type !== "token") return;
      text += event.content;
      if (cuts === 3 || text.split("\n").length - 1 < 100 * (cuts + 1)) return;
      const pid = await until("the connection", async () => {
        const { stderr } = await runCommand([
          "ssh",
          "-F",
          sshConfig,
          "-O",
          "check",
          login.server.host,
        ]);
        return /pid=(\d+)/.exec(stderr)?.[1];
      });
      Deno.kill(Number(pid), "SIGKILL");
      cuts++;
      await Deno.writeTextFile(`${dir}/go${100 * cuts}`, "");
    });
    assertEquals(text, Array.from({ length: 400 }, (_, i) => `line ${i + 1} é\n`).join(""));
    assertEquals((await stream.result).reason, "completed");
    assertEquals(cuts, 3);
    assert(told.length >= 3, told.join("\n"));
    assertStringIncludes(told[0], "hpc");
    await runCommand(["ssh", "-F", sshConfig, "-O", "exit", login.server.host]);
  },
});

Deno.test({
  name: "slurm via ssh, by file - a job that was left is read from its start by who takes it up",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { config, dir } = fixture;
    Deno.env.set("STREAMRELAY_STATE", `${dir}/state`);
    try {
      const executor = make(config);
      const job = await executor.submit({
        text: `#!/bin/bash\ncat\nuntil [ -e ${dir}/go ]; do sleep 0.05; done\nseq 1 1000`,
      }, "left alone\n");
      let text = "";
      // somebody reads the beginning, and goes
      for await (const token of make(config).attach(job)) {
        text += token;
        break;
      }
      assertEquals(text, "left alone\n");
      await Deno.writeTextFile(`${dir}/go`, "");
      const numbers = Array.from({ length: 1_000 }, (_, i) => `${i + 1}\n`).join("");
      assertEquals(await make(config).attach(job).text(), `left alone\n${numbers}`);
      const control = new ControlClient({ url: job.relay, token: job.tokens.supervise });
      assertEquals((await control.info(job.channel)).claims.length, 1);
      assert(job.spool);
      await until("it is removed", () => Deno.stat(job.spool!).then(() => false, () => true));
    } finally {
      Deno.env.delete("STREAMRELAY_STATE");
    }
  },
});

Deno.test({
  name: "slurm via ssh, by file - a job that starts over is an attempt of its own",
  ignore,
  async fn() {
    await using fixture = await executorFixture({ postTimeout: 1 });
    const { config, dir } = fixture;
    const executor = make({
      ...config,
      extra: ["--requeue"],
      jobTimings: { ...config.jobTimings, heartbeat: 0.3 },
    });
    const stream = executor.stream({
      text: `#!/bin/bash
if [ -e ${dir}/again ]; then echo second; exit; fi
: >${dir}/again
scontrol requeue $SLURM_JOB_ID
exec sleep 60`,
    });
    const states: string[] = [];
    let text = "";
    await stream.onChunk(async (event) => {
      if (event.type === "status") states.push(event.state);
      if (event.type === "token") text += event.content;
      if (event.type === "status" && event.state === "queued" && event.reason === "BeginTime") {
        // within the second of its kill slurmd takes the new start for the old one, and refuses it
        await runCommand(["scontrol", "update", `JobId=${event.jobId}`, "StartTime=now+2"], {
          env: { SLURM_CONF: login.conf },
        });
      }
    });
    assertEquals(text, "second\n");
    assert(states.includes("restarted"), states.join());
  },
});

Deno.test({
  name: "slurm via ssh, by file - a node that does not see the folder says so",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { config, dir } = fixture;
    const stream = make({ ...config, extra: ["--hold"] }).stream({ text: "echo never" });
    let held = true;
    const end = await stream.onChunk(async (event) => {
      if (event.type !== "status" || event.reason !== "JobHeldUser" || !held) return;
      held = false;
      await Deno.rename(`${dir}/spo ol`, `${dir}/elsewhere`);
      await runCommand(["scontrol", "release", event.jobId!], { env: { SLURM_CONF: login.conf } });
    }).then(() => stream.result, () => stream.result);
    assertEquals(end.reason, "job_failed");
    assertEquals(end.error?.details.exitCode, 89);
    assertStringIncludes(String(end.error?.details.output), "does not share that folder");
  },
});
