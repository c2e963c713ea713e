import { assert, assertEquals, assertRejects } from "@std/assert";
import { SlurmExecutor } from "../../adapters/mod.ts";
import { StreamError } from "../../stream/mod.ts";
import { until } from "../tools/until.ts";
import { executorFixture } from "./executor_fixture.ts";
import { needs } from "./needs.ts";
import { runCommand } from "./run_command.ts";

const { ignore } = needs("slurm");

async function stateOf(jobId: string): Promise<string> {
  const question = ["squeue", "-h", "-t", "all", "-j", jobId, "-o", "%T"];
  return (await runCommand(question)).stdout.trim();
}

for (
  const [reason, options] of [
    ["PartitionConfig", { cpus: 9_999 }],
    ["PartitionTimeLimit", { partition: "tiny", time: 30 }],
    ["DependencyNeverSatisfied", {}],
  ] as const
) {
  Deno.test({
    name: `slurm queue - never startable: ${reason}`,
    ignore,
    async fn() {
      await using fixture = await executorFixture();
      const extra = reason === "DependencyNeverSatisfied"
        ? [`--dependency=afterok:${await failedJob(fixture.dir)}`]
        : [];
      const stream = new SlurmExecutor({
        ...fixture.config,
        ...options,
        extra,
      }).stream({ text: "echo never" });
      const error = await assertRejects(() => stream.text(), StreamError);
      assertEquals(error.code, "never_startable");
      // Slurm itself calls the second one by the name of the first at times
      assert([reason, "PartitionConfig"].includes(`${error.details.reason}`));
      await until(
        "the job to be cancelled",
        async () => (await stateOf(stream.job.id!)) === "CANCELLED",
      );
    },
  });
}

Deno.test({
  name: "slurm queue - a partition that is down is waited for",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const partition = (state: string) =>
      runCommand([
        "scontrol",
        "update",
        "PartitionName=tiny",
        `State=${state}`,
      ]);
    await partition("DOWN");
    try {
      const stream = new SlurmExecutor({
        ...fixture.config,
        partition: "tiny",
        time: 1,
      }).stream({ text: "echo at last" });
      let text = "";
      await stream.onChunk(async (event) => {
        if (event.type === "token") text += event.content;
        if (event.type === "status" && event.reason === "PartitionDown") {
          await partition("UP");
        }
      });
      assertEquals(text, "at last\n");
    } finally {
      await partition("UP");
    }
  },
});

Deno.test({
  name: "slurm queue - a job that waits longer than every time-out still streams",
  ignore,
  async fn() {
    await using fixture = await executorFixture({
      channelTimeout: 0.2,
      retention: 60,
      producerGrace: 0.2,
      leaseGrace: 0.2,
      postTimeout: 0.2,
      sweepInterval: 0.1,
      idleTimeout: 1,
      authTimeout: 1,
    });
    const { config } = fixture;
    const stream = new SlurmExecutor({
      ...config,
      lease: 0.2,
      giveUpAfter: 200,
      timings: { ...config.timings, connectHint: 100 },
      extra: ["--hold"],
    }).stream({ text: "cat" }, "still here");
    let polls = 0;
    const jobId = await until("the job's id", () => stream.job.id);
    const released = (async () => {
      // five seconds, with everything else in tenths of one
      while (polls++ < 25) {
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      await runCommand(["scontrol", "release", jobId]);
    })();
    assertEquals(await stream.text(), "still here");
    await released;
  },
});

Deno.test({
  name: "slurm queue - a requeued job streams anew",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { config, dir } = fixture;
    const stream = new SlurmExecutor(config).stream({
      text: `#!/bin/bash
if [ -e ${dir}/first ]; then echo second; exit; fi
: > ${dir}/first
echo first
exec sleep 60`,
    });
    const [whole, tokens, events] = stream.tee(3);
    const states: string[] = [];
    const heard = Promise.withResolvers<void>();
    const requeue = async () => {
      await heard.promise;
      const jobId = stream.job.id!;
      await runCommand(["scontrol", "requeue", jobId]);
      await until(
        "the job to be queued",
        async () => (await stateOf(jobId)) === "PENDING",
      );
      // Slurm lets a requeued job wait for two minutes, for a reason: within the second of the kill
      // slurmd takes the new start for the old one and refuses it ("Job credential revoked")
      await runCommand(["scontrol", "update", `JobId=${jobId}`, "StartTime=now+2"]);
    };
    const [text, failed] = await Promise.all([
      whole.text(),
      assertRejects(async () => {
        for await (const token of tokens) {
          assertEquals(token, "first\n");
          heard.resolve();
        }
      }, StreamError),
      events.onChunk((event) => {
        if (event.type === "status") states.push(event.state);
      }),
      requeue(),
    ]);
    assertEquals(text, "second\n");
    assertEquals(failed.code, "restarted");
    assert(states.includes("restarted"), states.join());
    assertEquals((await stream.result).reason, "completed");
  },
});

/** A job that has failed already. */
async function failedJob(dir: string): Promise<string> {
  const { stdout } = await runCommand(
    ["sbatch", "--parsable", "--wait", `--output=${dir}/%j`],
    { stdin: "#!/bin/bash\nexit 1\n" },
  );
  return stdout.trim();
}
