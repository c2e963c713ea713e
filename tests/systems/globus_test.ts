/** What only a real endpoint shows. @module */
import { assertEquals, assertRejects } from "@std/assert";
import { GlobusComputeExecutor } from "../../adapters/mod.ts";
import { StreamError } from "../../stream/mod.ts";
import { until } from "../tools/until.ts";
import { executorFixture } from "./executor_fixture.ts";
import { globusClient, globusConfig } from "./globus_config.ts";
import { functionContract } from "./globus_functions.ts";
import { needs } from "./needs.ts";

const { ignore } = needs("globus");

functionContract({
  name: "globus",
  ignore,
  make: (config) => new GlobusComputeExecutor({ ...config, ...globusConfig() }),
});

Deno.test({
  name: "globus endpoint - what is cancelled while all workers are busy never runs",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { config, dir } = fixture;
    const executor = new GlobusComputeExecutor({ ...config, ...globusConfig() });
    const busy = [1, 2].map(() =>
      executor.stream({
        text: `#!/bin/bash\necho go\nuntil [ -e ${dir}/go ]; do sleep 0.05; done`,
      })
    );
    const texts = await Promise.all(busy.map((stream) => {
      const started = Promise.withResolvers<void>();
      const text = (async () => {
        let all = "";
        for await (const token of stream) {
          all += token;
          started.resolve();
        }
        return all;
      })();
      return started.promise.then(() => ({ text }));
    }));
    const waits = executor.stream({ text: `: > ${dir}/ran` });
    await waits.onChunk(async (event) => {
      if (event.type !== "status" || event.state !== "queued") return;
      assertEquals(await waits.cancel(), "recorded");
    });
    assertEquals((await waits.result).reason, "cancelled");
    await Deno.writeTextFile(`${dir}/go`, "");
    for (const { text } of texts) assertEquals(await text, "go\n");
    // behind the one that was cancelled
    assertEquals(await executor.stream({ text: "echo after" }).text(), "after\n");
    let fate;
    while (!(fate = await executor.explain(waits.job.id!))) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assertEquals(fate.code, "cancelled");
    await assertRejects(() => Deno.stat(`${dir}/ran`), Deno.errors.NotFound);
  },
});

Deno.test({
  name: "globus endpoint - a time limit ends the job",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const executor = new GlobusComputeExecutor({ ...fixture.config, ...globusConfig() });
    const error = await assertRejects(
      () => executor.stream({ text: "exec sleep 60" }, undefined, { time: "0:01" }).text(),
      StreamError,
    );
    assertEquals(error.code, "walltime");
  },
});

Deno.test({
  name: "globus endpoint - resources that its engine has no use for are refused in its own words",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const executor = new GlobusComputeExecutor({ ...fixture.config, ...globusConfig() });
    const error = await assertRejects(
      () =>
        executor.stream({ text: "echo never" }, undefined, {
          resourceSpecification: { num_nodes: 2 },
        }).text(),
      StreamError,
      "Globus Compute says",
    );
    assertEquals(error.code, "job_failed");
  },
});

Deno.test({
  name: "globus endpoint - a service account runs a script",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const state = await Deno.makeTempDir();
    Deno.env.set("STREAMRELAY_STATE", state);
    try {
      const login = globusClient();
      const executor = new GlobusComputeExecutor({ ...fixture.config, ...globusConfig(), login });
      assertEquals(await executor.stream({ text: "cat" }, "hello\n").text(), "hello\n");
    } finally {
      Deno.env.delete("STREAMRELAY_STATE");
      // a run forgets its job there after its end was told
      const remove = () => Deno.remove(state, { recursive: true }).then(() => true, () => false);
      await until("an end to what is written", remove);
    }
  },
});
