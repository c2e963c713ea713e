import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { SlurmExecutor } from "../../adapters/mod.ts";
import { StreamError } from "../../stream/mod.ts";
import { executorFixture } from "./executor_fixture.ts";
import { needs } from "./needs.ts";
import { runCommand } from "./run_command.ts";
import { startSlurmCluster } from "./slurm_cluster.ts";

const { ignore } = needs("slurm");

Deno.test({
  name: "slurm fate - scancel from outside while running",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const stream = new SlurmExecutor(fixture.config).stream({
      text: "#!/bin/bash\necho go\nexec sleep 60",
    });
    const error = await assertRejects(async () => {
      for await (const _ of stream) {
        await runCommand(["scancel", stream.job.id!]);
      }
    }, StreamError);
    assertEquals(error.code, "job_cancelled");
    assertEquals((await stream.result).reason, "job_cancelled");
  },
});

Deno.test({
  name: "slurm fate - scancel from outside while pending",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const stream = new SlurmExecutor({ ...fixture.config, extra: ["--hold"] })
      .stream({ text: "echo never" });
    const error = await assertRejects(
      () =>
        stream.onChunk(async (event) => {
          if (event.type === "status" && event.state === "queued") {
            assertEquals(event.reason, "JobHeldUser");
            await runCommand(["scancel", event.jobId!]);
          }
        }),
      StreamError,
    );
    assertEquals(error.code, "job_cancelled");
  },
});

Deno.test({
  name: "slurm fate - out of time",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const stream = new SlurmExecutor({ ...fixture.config, time: 1 }).stream({
      text: "#!/bin/bash\necho go\nexec sleep 300",
    });
    const error = await assertRejects(async () => {
      for await (const _ of stream) {
        // the shortest limit there is, one minute, is over at once
        await runCommand([
          "scontrol",
          "update",
          `JobId=${stream.job.id}`,
          "EndTime=now+2",
        ]);
      }
    }, StreamError);
    assertEquals(error.code, "walltime");
    assertEquals(error.details.state, "TIMEOUT");
  },
});

Deno.test({
  name: "slurm fate - the node fails under the job",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const stream = new SlurmExecutor({
      ...fixture.config,
      extra: ["--no-requeue"],
    }).stream({ text: "#!/bin/bash\necho go\nexec sleep 60" });
    let node = "";
    const error = await assertRejects(async () => {
      for await (const _ of stream) {
        node = stream.job.node!;
        await update(node, "down");
      }
    }, StreamError).finally(() => update(node, "resume"));
    assertEquals(error.code, "node_failure");
  },
});

Deno.test({
  name: "slurm fate - a node that is gone without a word",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const conf = Deno.env.get("SLURM_CONF");
    const cluster = await startSlurmCluster({ extra: "SlurmdTimeout=5" });
    Deno.env.set("SLURM_CONF", cluster.conf);
    try {
      const stream = new SlurmExecutor({ ...fixture.config, extra: ["--no-requeue"] })
        .stream({ text: "#!/bin/bash\necho go\nexec sleep 300" });
      let killed = false;
      const states: string[] = [];
      const error = await assertRejects(
        () =>
          stream.onChunk(async (event) => {
            if (event.type === "status") states.push(event.state);
            if (event.type !== "token" || killed) return;
            killed = true;
            await killNode(cluster.dir, stream.job.id!);
          }),
        StreamError,
      );
      assertEquals(error.code, "node_failure");
      assert(states.includes("disconnected"), states.join());
    } finally {
      if (conf === undefined) Deno.env.delete("SLURM_CONF");
      else Deno.env.set("SLURM_CONF", conf);
      await cluster.stop();
    }
  },
});

Deno.test({
  name: "slurm fate - a job whose wrapper was killed is not a success",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    // the program's parent is what would have told how it ended
    const stream = new SlurmExecutor(fixture.config).stream({
      text: "#!/bin/bash\necho go\nkill -9 $PPID\nexec sleep 1",
    });
    const error = await assertRejects(() => stream.text(), StreamError);
    assertEquals(error.code, "job_failed");
    assertEquals(error.details.signal, 9);
  },
});

Deno.test({
  name: "slurm fate - nothing of the job reaches the relay",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { config, relay, secret } = fixture;
    const stream = new SlurmExecutor({
      ...config,
      relay: {
        url: relay.url,
        token: secret,
        jobUrl: "ws://127.0.0.1:9",
      },
      jobTimings: { ...config.jobTimings, giveUp: 0.5 },
    }).stream({ text: "echo unheard" });
    const { reason, error } = await stream.drain();
    // the wrapper fails or completes; neither is a success of the stream
    assertEquals(["job_failed", "producer_lost"].includes(reason), true);
    assertStringIncludes(String(error?.details.output), "127.0.0.1:9");
  },
});

Deno.test({
  name: "slurm fate - sbatch refuses in its own words",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const stream = new SlurmExecutor({
      ...fixture.config,
      partition: "nowhere",
    }).stream({ text: "echo never" });
    const error = await assertRejects(() => stream.text(), StreamError);
    assertEquals(error.code, "submit_failed");
    assertStringIncludes(error.message, "invalid partition specified: nowhere");
  },
});

Deno.test({
  name: "slurm fate - no Slurm on this machine",
  async fn() {
    await using fixture = await executorFixture();
    const stream = new SlurmExecutor({
      ...fixture.config,
      bin: "/no/such/bin",
    }).stream({ text: "echo never" });
    const error = await assertRejects(() => stream.text(), StreamError);
    assertEquals(error.code, "submit_failed");
    assertStringIncludes(error.message, "/no/such/bin/sbatch was not found");
  },
});

/** Kills a node's daemon, and the job on it with its keeper, which would have reported its end. */
async function killNode(dir: string, jobId: string): Promise<void> {
  const { stdout } = await runCommand(["scontrol", "listpids", jobId]);
  const pids = stdout.split("\n").map((line) => parseInt(line)).filter((pid) => pid > 0);
  const { stdout: parent } = await runCommand(["ps", "-o", "ppid=", "-p", `${pids[0]}`]);
  const daemon = await Deno.readTextFile(`${dir}/run/slurmd.pid`);
  for (const pid of [Number(daemon), Number(parent), ...pids].filter((pid) => pid > 1)) {
    try {
      Deno.kill(pid, "SIGKILL");
    } catch {
      // it went with another
    }
  }
}

async function update(node: string, state: string): Promise<void> {
  await runCommand([
    "scontrol",
    "update",
    `NodeName=${node}`,
    `State=${state}`,
    "Reason=test",
  ]);
}
