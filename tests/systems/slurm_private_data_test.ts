import { assertEquals, assertRejects } from "@std/assert";
import { SlurmExecutor } from "../../adapters/mod.ts";
import { StreamError } from "../../stream/mod.ts";
import { executorFixture } from "./executor_fixture.ts";
import { needs } from "./needs.ts";
import { onPath } from "./on_path.ts";
import { startSlurmCluster } from "./slurm_cluster.ts";

const { ignore } = needs("slurm");
// root sees every job whatever PrivateData says, so somebody else has to ask
const user = Deno.env.get("STREAMRELAY_TEST_OTHER_USER");

/** Slurm's programs, as a user without privileges runs them. */
async function programsOf(user: string, dir: string): Promise<string> {
  const bin = `${dir}/bin`;
  await Deno.mkdir(bin);
  for (const name of ["sbatch", "squeue", "scancel", "scontrol", "sinfo"]) {
    await Deno.writeTextFile(
      `${bin}/${name}`,
      `#!/bin/bash\nexport HOME=/tmp\nexec runuser -u ${user} -- ${onPath(name)} "$@"\n`,
      { mode: 0o755 },
    );
  }
  return bin;
}

for (const privateData of ["jobs,nodes,partitions,reservations,usage,users", ""]) {
  Deno.test({
    name: `slurm private data - an unprivileged user, PrivateData=${privateData}`,
    ignore: ignore || user === undefined,
    async fn() {
      await using fixture = await executorFixture();
      const { config, dir } = fixture;
      await Deno.chmod(dir, 0o777);
      const conf = Deno.env.get("SLURM_CONF");
      const cluster = await startSlurmCluster({ privateData });
      Deno.env.set("SLURM_CONF", cluster.conf);
      try {
        const executor = new SlurmExecutor({
          ...config,
          bin: await programsOf(user!, dir),
        });
        const done = executor.stream({ text: "#!/bin/bash\nid -un; cat" }, "hi");
        assertEquals(await done.text(), `${user}\nhi`);

        const killed = executor.stream({ text: "#!/bin/bash\nkill -9 $$" });
        const { reason, error } = await killed.drain();
        assertEquals(reason, "job_failed");
        assertEquals(error?.details.signal, 9);

        const held = executor.stream({ text: "echo never" }, undefined, {
          extra: ["--hold"],
        });
        await held.onChunk(async (event) => {
          if (event.type !== "status" || event.state !== "queued") return;
          assertEquals(event.reason, "JobHeldUser");
          assertEquals(await held.cancel(), "scheduler");
        });
        assertEquals((await held.result).reason, "cancelled");

        const never = await assertRejects(
          () => executor.stream({ text: "x" }, undefined, { cpus: 9_999 }).text(),
          StreamError,
        );
        assertEquals(never.code, "never_startable");
      } finally {
        if (conf === undefined) Deno.env.delete("SLURM_CONF");
        else Deno.env.set("SLURM_CONF", conf);
        await cluster.stop();
      }
    },
  });
}
