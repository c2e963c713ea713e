import { assertEquals } from "@std/assert";
import { findJobRecord, listJobRecords, SlurmExecutor } from "../../adapters/mod.ts";
import { executorFixture } from "./executor_fixture.ts";
import { needs } from "./needs.ts";

const { ignore } = needs("slurm");

Deno.test({
  name: "slurm detach - a job that was left is found, and read from its start",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { config, dir } = fixture;
    Deno.env.set("STREAMRELAY_STATE", `${dir}/state`);
    try {
      const executor = new SlurmExecutor(config);
      const { jobId } = await executor.submit({ text: "cat" }, "left alone");
      const job = await findJobRecord(jobId);
      assertEquals((await listJobRecords()).length, 1);
      assertEquals(job?.executor, "slurm");
      assertEquals(job?.output, `${dir}/slurm-${jobId}.out`);
      const { mode } = await Deno.stat(
        `${dir}/state/jobs/${job?.channel}.json`,
      );
      assertEquals(mode! & 0o777, 0o600);
      assertEquals(await executor.attach(job!).text(), "left alone");
      assertEquals(
        (await executor.explain(jobId))?.code ?? "completed",
        "completed",
      );
    } finally {
      Deno.env.delete("STREAMRELAY_STATE");
    }
  },
});

Deno.test({
  name: "slurm detach - the failure of a job that was left is found out by who takes it up",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const executor = new SlurmExecutor(fixture.config);
    Deno.env.set("STREAMRELAY_STATE", `${fixture.dir}/state`);
    try {
      const job = await executor.submit({ text: "#!/bin/bash\nkill -9 $$" });
      while (!await executor.explain(job.jobId)) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const { reason, error } = await executor.attach(job).drain();
      assertEquals(reason, "job_failed");
      assertEquals(error?.details.signal, 9);
    } finally {
      Deno.env.delete("STREAMRELAY_STATE");
    }
  },
});

Deno.test({
  name: "slurm detach - an orphan is cancelled by its record",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const executor = new SlurmExecutor({
      ...fixture.config,
      extra: ["--hold"],
    });
    Deno.env.set("STREAMRELAY_STATE", `${fixture.dir}/state`);
    try {
      const job = await executor.submit({ text: "echo never" });
      assertEquals(await executor.cancel(job, "not needed"), "scheduler");
      const { reason } = await executor.attach(job).drain();
      assertEquals(reason, "cancelled");
      assertEquals((await executor.explain(job.jobId))?.code, "job_cancelled");
    } finally {
      Deno.env.delete("STREAMRELAY_STATE");
    }
  },
});
