import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { SlurmExecutor } from "../../../adapters/mod.ts";
import { StreamError } from "../../../stream/mod.ts";
import { executorFixture } from "../../systems/executor_fixture.ts";

/** Programs of Slurm's names, each a line of bash. */
async function programs(
  dir: string,
  lines: Record<string, string>,
): Promise<string> {
  const bin = `${dir}/bin`;
  await Deno.mkdir(bin);
  for (const [name, line] of Object.entries(lines)) {
    await Deno.writeTextFile(`${bin}/${name}`, `#!/bin/bash\n${line}\n`, {
      mode: 0o755,
    });
  }
  return bin;
}

/** An sbatch that runs the script at once, as job 7. */
const RUNS_AT_ONCE = 'cat > "${0%/*}/script"; echo "7;cluster"\n' +
  'setsid bash < "${0%/*}/script" >/dev/null 2>&1 &';

const RUNNING = "printf '%-24s%-24s\\n' 7 RUNNING";

Deno.test("slurm executor - the token goes by a file where scripts are archived", async () => {
  await using fixture = await executorFixture();
  const { config, dir } = fixture;
  const bin = await programs(dir, {
    sbatch: RUNS_AT_ONCE,
    squeue: RUNNING,
    scontrol: "echo 'AccountingStoreFlags    = job_comment,job_script'",
  });
  const credentialsFolder = `${dir}/credentials`;
  const executor = new SlurmExecutor({ ...config, bin, credentialsFolder });
  assertEquals(await executor.stream({ text: "cat" }, "hi").text(), "hi");
  assert(!/eyJ[\w-]+\./.test(await Deno.readTextFile(`${bin}/script`)));
  assertEquals(await Array.fromAsync(Deno.readDir(credentialsFolder)), []);
});

Deno.test("slurm executor - no question is asked of a job that tells how it ended", async () => {
  await using fixture = await executorFixture();
  const { config, dir } = fixture;
  const bin = await programs(dir, {
    sbatch: RUNS_AT_ONCE,
    squeue: `echo asked >> ${dir}/asked`,
    scontrol: "exit 1",
  });
  const executor = new SlurmExecutor({
    ...config,
    bin,
    timings: { ...config.timings, pollFirst: 10_000 },
  });
  const { reason } = await executor.stream({ text: "exit 3" }).drain();
  assertEquals(reason, "job_failed");
  await assertRejects(() => Deno.stat(`${dir}/asked`));
});

Deno.test("slurm executor - a controller out of reach is told, and waited for", async () => {
  await using fixture = await executorFixture();
  const { config, dir } = fixture;
  const bin = await programs(dir, {
    sbatch: RUNS_AT_ONCE.replace("setsid", `until [ -e ${dir}/go ]; do sleep 0.05; done; setsid`)
      .replace("until", "(until").replace(" &", ") >/dev/null 2>&1 &"),
    squeue: "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1",
    scontrol: "exit 1",
  });
  const stream = new SlurmExecutor({ ...config, bin }).stream(
    { text: "cat" },
    "at last",
  );
  let text = "";
  await stream.onChunk(async (event) => {
    if (event.type === "token") text += event.content;
    if (event.type === "status" && event.reason?.includes("Unable to contact")) {
      await Deno.writeTextFile(`${dir}/go`, "");
    }
  });
  assertEquals(text, "at last");
});

Deno.test("slurm executor - prompts and tokens are in no argument", async () => {
  await using fixture = await executorFixture();
  const { config, dir } = fixture;
  const bin = await programs(dir, {
    sbatch: `printf '%s\\n' "$@" > ${dir}/arguments; ${RUNS_AT_ONCE}`,
    squeue: RUNNING,
    scontrol: "exit 1",
  });
  const executor = new SlurmExecutor({ ...config, bin, partition: "gpu;rm" });
  await executor.stream({ text: "cat" }, "my prompt").text();
  assertEquals(
    await Deno.readTextFile(`${dir}/arguments`),
    `--parsable
--partition=gpu;rm
--time=1:00:00
--job-name=streamrelay
--chdir=${dir}
`,
  );
});

Deno.test("slurm executor - an option that can't be is refused at once", () => {
  const error = assertThrows(
    () => new SlurmExecutor({ cpus: -1 }),
    StreamError,
    "option cpus",
  );
  assertEquals(error.code, "bad_request");
});
