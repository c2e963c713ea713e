import { assert, assertEquals } from "@std/assert";
import { SlurmExecutor } from "../../adapters/mod.ts";
import { executorFixture } from "./executor_fixture.ts";
import { needs } from "./needs.ts";
import { runCommand } from "./run_command.ts";

const { ignore } = needs("slurm");

/** Waits until Slurm has no live job of that id. */
async function gone(jobId: string): Promise<string> {
  for (;;) {
    const { stdout } = await runCommand([
      "squeue",
      "-h",
      "-t",
      "all",
      "-j",
      jobId,
      "-o",
      "%T",
    ]);
    const state = stdout.trim();
    if (!/PENDING|RUNNING|COMPLETING|CONFIGURING/.test(state)) return state;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

for (const extra of ["--hold", "--begin=now+1hour"]) {
  Deno.test({
    name: `slurm cancel - while pending with ${extra}`,
    ignore,
    async fn() {
      await using fixture = await executorFixture();
      const stream = new SlurmExecutor({ ...fixture.config, extra: [extra] })
        .stream({ text: "echo never" });
      let jobId = "";
      await stream.onChunk(async (event) => {
        if (event.type !== "status" || event.state !== "queued") return;
        jobId = event.jobId!;
        assertEquals(await stream.cancel("no longer needed"), "scheduler");
      });
      const { reason, error } = await stream.result;
      assertEquals(reason, "cancelled");
      assert(error?.message.includes("no longer needed"));
      assertEquals(await gone(jobId), "CANCELLED");
    },
  });
}

Deno.test({
  name: "slurm cancel - while running, the job is gone too",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const stream = new SlurmExecutor(fixture.config).stream({
      text: "#!/bin/bash\necho go\nexec sleep 60",
    });
    for await (const _ of stream) {
      assertEquals(await stream.cancel(), "scheduler");
    }
    assertEquals((await stream.result).reason, "cancelled");
    await gone(stream.job.id!);
  },
});

Deno.test({
  name: "slurm cancel - somebody with the token cancels at the relay",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const executor = new SlurmExecutor(fixture.config);
    const job = await executor.submit(
      {
        text: "#!/bin/bash\necho go\nexec sleep 60",
      },
      undefined,
      { record: false },
    );
    const supervised = executor.attach(job);
    for await (const _ of supervised) {
      const { ControlClient } = await import("../../client/mod.ts");
      const control = new ControlClient({
        url: job.relay,
        token: job.tokens.cancel,
      });
      await control.cancel(job.channel, "by a colleague");
      break;
    }
    const result = await executor.attach(job).drain();
    assertEquals(result.reason, "cancelled");
    await gone(job.jobId);
  },
});

Deno.test({
  name: "slurm cancel - the reader's process is gone, the relay cancels",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const stream = new SlurmExecutor({
      ...fixture.config,
      onDisconnect: { running: 0.2 },
    }).stream({ text: "#!/bin/bash\necho go\nexec sleep 60" });
    for await (const _ of stream) break;
    await gone(stream.job.id!);
  },
});

Deno.test({
  name: "slurm cancel - leaving the stream leaves a job that shall be kept",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { config, dir } = fixture;
    const stream = new SlurmExecutor({
      ...config,
      onDisconnect: { pending: "keep", running: "keep" },
    }).stream({
      text:
        `#!/bin/bash\necho go\nuntil [ -e ${dir}/go ]; do sleep 0.05; done\necho done > ${dir}/done`,
    });
    for await (const _ of stream) break;
    await Deno.writeTextFile(`${dir}/go`, "");
    assertEquals(await gone(stream.job.id!), "COMPLETED");
    assertEquals(await Deno.readTextFile(`${dir}/done`), "done\n");
  },
});
