import { assert, assertEquals } from "@std/assert";
import { SlurmExecutor } from "../../adapters/mod.ts";
import { until } from "../tools/until.ts";
import { executorFixture } from "./executor_fixture.ts";
import { needs } from "./needs.ts";
import { onPath } from "./on_path.ts";
import { startSlurmCluster } from "./slurm_cluster.ts";

const { ignore } = needs("slurm");
const JOBS = 100;
const POLL_EVERY = 1_000;

/** Programs of Slurm's names that write down each call before they pass it on. */
async function countingPrograms(dir: string): Promise<string> {
  const bin = `${dir}/bin`;
  await Deno.mkdir(bin);
  for (const name of ["sbatch", "squeue", "scancel", "scontrol", "sinfo", "sacct"]) {
    await Deno.writeTextFile(
      `${bin}/${name}`,
      `#!/bin/bash\necho "$EPOCHREALTIME ${name} $*" >> ${dir}/calls\nexec ${onPath(name)} "$@"\n`,
      { mode: 0o755 },
    );
  }
  return bin;
}

Deno.test({
  name: "slurm polls - 100 running jobs cost no more scheduler calls than one",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { config, dir } = fixture;
    const conf = Deno.env.get("SLURM_CONF");
    const cluster = await startSlurmCluster({ cpus: 2 * JOBS, privateData: "" });
    Deno.env.set("SLURM_CONF", cluster.conf);
    try {
      const bin = await countingPrograms(dir);
      const calls = async (name: string) =>
        (await Deno.readTextFile(`${dir}/calls`)).trim().split("\n")
          .map((line) => line.split(" "))
          .filter(([, program]) => program === name);
      const executor = new SlurmExecutor({
        ...config,
        bin,
        producer: { use: ["curl"] },
        encryption: "off",
        timings: { ...config.timings, pollEvery: POLL_EVERY, pollAtMost: POLL_EVERY },
      });
      let running = 0;
      const streams = Array.from({ length: JOBS }, () =>
        executor.stream({
          text: `#!/bin/bash\necho go\nuntil [ -e ${dir}/go ]; do sleep 0.5; done\necho end`,
        }));
      const ends = Promise.all(streams.map(async (stream) => {
        let text = "";
        for await (const token of stream) {
          if (text === "") running++;
          text += token;
        }
        return text;
      }));
      ends.catch(() => {});
      await until("all jobs to run", () => running === JOBS, { within: 600_000 });

      // while they started they were asked about together, never in quick succession
      const polls = await calls("squeue");
      for (let i = 1; i < polls.length; i++) {
        assert(Number(polls[i][0]) - Number(polls[i - 1][0]) > POLL_EVERY / 2_000);
      }
      // now only one job waits, and only that one is asked about
      const held = executor.stream({ text: "echo never" }, undefined, {
        extra: ["--hold"],
      });
      const heldId = await until("the held job's id", () => held.job.id);
      await until(
        "further polls",
        async () => (await calls("squeue")).length >= polls.length + 4,
      );
      await held.cancel();
      await Deno.writeTextFile(`${dir}/go`, "");
      assertEquals(new Set(await ends), new Set(["go\nend\n"]));
      // a job that says how it ended is never asked about
      for (const call of (await calls("squeue")).slice(polls.length + 1)) {
        assertEquals(call[call.indexOf("-j") + 1], heldId);
      }
      assertEquals((await calls("sbatch")).length, JOBS + 1);
      assertEquals((await calls("scancel")).length, 1);
      assert((await calls("scontrol")).length <= 1);
      // nor looked up; a question under way may have found the held one cancelled
      const lookups = await calls("sacct");
      assert(lookups.length <= 1);
      for (const call of lookups) assertEquals(call[call.indexOf("-j") + 1], heldId);
    } finally {
      if (conf === undefined) Deno.env.delete("SLURM_CONF");
      else Deno.env.set("SLURM_CONF", conf);
      await cluster.stop();
    }
  },
});
