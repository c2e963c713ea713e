/** Scripts that start several tasks with `srun`, on a real Slurm of one node and of two. @module */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type Ranks, SlurmExecutor } from "../../adapters/mod.ts";
import { StreamError } from "../../stream/mod.ts";
import { until } from "../tools/until.ts";
import { type ExecutorFixture, executorFixture } from "./executor_fixture.ts";
import { needs } from "./needs.ts";
import { startSlurmCluster } from "./slurm_cluster.ts";

const { ignore } = needs("slurm");

/** Each task prints its lines in two halves; both at the same time. */
const TWO_TASKS = `#!/bin/bash
srun -n2 bash -c 'for i in $(seq 100); do printf "task $SLURM_PROCID "; sleep 0.01; echo "says $i"; done'`;

function linesOf(task: number, label = ""): string[] {
  return Array.from({ length: 100 }, (_, i) => `${label}task ${task} says ${i + 1}`);
}

Deno.test({
  name: "srun - the output of two tasks arrives in whole lines, merged or labelled",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const executor = new SlurmExecutor({ ...fixture.config, tasks: 2 });
    const cases: [Ranks | undefined, string, string][] = [
      [undefined, "", ""],
      ["merged", "", ""],
      ["labelled", "0: ", "1: "],
    ];
    await Promise.all(cases.map(async ([ranks, ...labels]) => {
      const text = await executor.stream({ text: TWO_TASKS }, undefined, { ranks }).text();
      const lines = text.trimEnd().split("\n");
      assertEquals(lines.length, 200);
      for (const task of [0, 1]) {
        const own = lines.filter((line) => line.includes(`task ${task}`));
        assertEquals(own, linesOf(task, labels[task]));
      }
    }));
  },
});

Deno.test({
  name: "srun - of all tasks the first alone, as it prints",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { config, dir } = fixture;
    const stream = new SlurmExecutor({ ...config, tasks: 2, ranks: "first" }).stream({
      text: `#!/bin/bash
srun -n2 bash -c 'printf "$SLURM_PROCID begins "; until [ -e ${dir}/go ]; do sleep 0.05; done; printf "and ends"'`,
    });
    let text = "";
    for await (const token of stream) {
      text += token;
      // no line has ended yet
      if (text === "0 begins ") await Deno.writeTextFile(`${dir}/go`, "");
    }
    assertEquals(text, "0 begins and ends");
  },
});

Deno.test({
  name: "srun - a task that fails is told, with its words",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    for (const ranks of ["merged", "labelled", "first"] as const) {
      const error = await assertRejects(
        () =>
          new SlurmExecutor({ ...fixture.config, tasks: 2, ranks }).stream({
            text:
              `#!/bin/bash\nsrun -n2 bash -c 'echo "words of $SLURM_PROCID" >&2; exit $((SLURM_PROCID * 3))'`,
          }).text(),
        StreamError,
      );
      assertEquals(error.code, "job_failed");
      assertEquals(error.details.exitCode, 3);
      assertStringIncludes(String(error.details.stderr), "words of 1");
      assertStringIncludes(String(error.details.stderr), "task 1: Exited with exit code 3");
    }
  },
});

const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** A program that speaks to the relay itself. The first goes on once the second was refused. */
const SPEAKER = `
import { RelayProducer } from "${new URL("../../client/mod.ts", import.meta.url)}";
const [dir] = Deno.args;
const rank = Deno.env.get("SLURM_PROCID");
const producer = new RelayProducer();
try {
  await producer.connect();
} catch (error) {
  await Deno.writeTextFile(dir + "/refused.new", error.message);
  await Deno.rename(dir + "/refused.new", dir + "/refused");
  Deno.exit(0);
}
await producer.token("rank " + rank + " begins, ");
for (;;) {
  const refused = await Deno.readTextFile(dir + "/refused").catch(() => undefined);
  if (refused !== undefined) break;
  await new Promise((resolve) => setTimeout(resolve, 50));
}
await producer.token("and ends on " + Deno.env.get("SLURMD_NODENAME"));
await producer.done();
`;

/** Two tasks that both want to speak, and the same with a plain tool. */
async function speakers({ config, dir }: ExecutorFixture, nodes: number): Promise<void> {
  const executor = new SlurmExecutor({
    ...config,
    nodes,
    tasks: 2,
    producer: { script: true },
  });
  await Deno.writeTextFile(`${dir}/speaker.ts`, SPEAKER);
  const run = `${Deno.execPath()} run -A --quiet --config ${CONFIG} ${dir}/speaker.ts ${dir}`;
  const text = await executor.stream({ text: `#!/bin/bash\nsrun -n2 ${run}` }).text();
  assertStringIncludes(text, "rank 0 begins, and ends on ");
  const refused = await Deno.readTextFile(`${dir}/refused`);
  assertStringIncludes(refused, "This is task 1 of its job step: only task 0 speaks to the relay");

  const pipe = '"${RELAY_URL/#ws/http}/v1/pipe/$CHANNEL_ID?end=eof"';
  const plain = executor.stream({
    text: `#!/bin/bash
cat > ${dir}/say.sh <<'SAY'
[ "$SLURM_PROCID" = 1 ] || until [ -s ${dir}/said.1 ]; do sleep 0.05; done
echo "words of $SLURM_PROCID" |
  curl -sT- -H "Authorization: Bearer $RELAY_SECRET" ${pipe} > ${dir}/said.$SLURM_PROCID
SAY
srun -n2 bash ${dir}/say.sh`,
  });
  assertEquals(await plain.text(), "words of 0\n");
  assertStringIncludes(await Deno.readTextFile(`${dir}/said.1`), "only task 0 speaks");
  // the set-up of a site, or of the script, still comes before each task
  const kept = executor.stream(
    {
      text: `#!/bin/bash
echo "$SLURM_JOB_NUM_NODES:$SLURM_TASK_PROLOG" > ${dir}/prolog
srun -n2 bash -c 'echo $FROM_PROLOG-$SLURM_PROCID >> ${dir}/tasks'
echo x | curl -sT- -H "Authorization: Bearer $RELAY_SECRET" ${pipe}`,
    },
    undefined,
    {
      setup: [
        `printf '#!/bin/sh\\necho export FROM_PROLOG=there' > ${dir}/own.sh`,
        `chmod 755 ${dir}/own.sh`,
        `export SLURM_TASK_PROLOG=${dir}/own.sh`,
      ],
    },
  );
  assertEquals(await kept.text(), "x\n");
  const told = (await Deno.readTextFile(`${dir}/tasks`)).trim().split("\n").sort();
  assertEquals(told, ["there-0", "there-1"]);
  const [count, prolog] = (await Deno.readTextFile(`${dir}/prolog`)).trim().split(":");
  assertEquals(Number(count), nodes);
  // the job is over some time after its stream
  await until("nothing to be left", () => Deno.stat(prolog).then(() => false, () => true));
}

Deno.test({
  name:
    "srun - of two tasks that speak to the relay themselves the first does, the second is told why not",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    await speakers(fixture, 1);
  },
});

Deno.test({
  name: "srun - the same on two nodes, and whole lines from both",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const conf = Deno.env.get("SLURM_CONF");
    const cluster = await startSlurmCluster({ nodes: 2, cpus: 4 });
    Deno.env.set("SLURM_CONF", cluster.conf);
    try {
      await speakers(fixture, 2);
      const executor = new SlurmExecutor({ ...fixture.config, nodes: 2, ranks: "labelled" });
      const text = await executor.stream({
        text: "#!/bin/bash\nsrun -n2 bash -c 'echo on $SLURMD_NODENAME'",
      }).text();
      assertEquals(text.trim().split("\n").sort(), ["0: on node1", "1: on node2"]);
    } finally {
      if (conf === undefined) Deno.env.delete("SLURM_CONF");
      else Deno.env.set("SLURM_CONF", conf);
      await cluster.stop();
    }
  },
});
