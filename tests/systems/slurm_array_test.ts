/** Job arrays on a real Slurm: a stream for each task. @module */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { findJobRecord, SlurmExecutor, type SubmittedJob } from "../../adapters/mod.ts";
import { ControlClient } from "../../client/mod.ts";
import { StreamError, type TokenStream } from "../../stream/mod.ts";
import { until } from "../tools/until.ts";
import { executorFixture } from "./executor_fixture.ts";
import { needs } from "./needs.ts";
import { runCommand } from "./run_command.ts";

const { ignore } = needs("slurm");

Deno.test({
  name: "slurm array - ten tasks are ten streams, each with an end of its own",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { config, dir } = fixture;
    const executor = new SlurmExecutor(config);
    const script = `#!/bin/bash
read prompt
echo "task $SLURM_ARRAY_TASK_ID of $SLURM_ARRAY_JOB_ID heard $prompt"
case $SLURM_ARRAY_TASK_ID in
  3) echo "no model for 3" >&2; exit 7 ;;
  5) echo going on; exec sleep 600 ;;
  8) kill -9 $$ ;;
esac
echo bye`;
    const texts = new Map<number, string>();
    const streams = new Map<number, TokenStream>();
    const reading: Promise<unknown>[] = [];
    const tasks = executor.streamAll({ text: script }, (task) => `prompt ${task}\n`, {
      array: "0-9",
    });
    for await (const [task, stream] of tasks) {
      streams.set(task, stream);
      reading.push(
        (async () => {
          texts.set(task, "");
          for await (const token of stream) {
            texts.set(task, texts.get(task) + token);
            if (texts.get(task)!.includes("going on")) await stream.cancel("enough");
          }
        })().catch(() => {}),
      );
    }
    assertEquals([...streams.keys()], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await Promise.all(reading);
    const ends = await Promise.all([...streams.values()].map((stream) => stream.result));
    assertEquals(ends.map(({ reason }) => reason), [
      ...["completed", "completed", "completed", "job_failed", "completed"],
      ...["cancelled", "completed", "completed", "job_failed", "completed"],
    ]);
    assertEquals(ends[3].error?.details.exitCode, 7);
    assertStringIncludes(String(ends[3].error?.details.stderr), "no model for 3");
    assertEquals(ends[8].error?.details.signal, 9);
    const [, array] = /^(\d+)_0$/.exec(streams.get(0)!.job.id!) ?? [];
    assert(array, `the task's id was ${streams.get(0)!.job.id}`);
    for (const [task, stream] of streams) {
      assertEquals(stream.job.id, `${array}_${task}`);
      const first = `task ${task} of ${array} heard prompt ${task}\n`;
      assertEquals(texts.get(task), first + lastWords(task));
      const output = await Deno.readTextFile(`${dir}/slurm-${array}_${task}.out`);
      assertStringIncludes(output, first);
    }
  },
});

function lastWords(task: number): string {
  if (task === 5) return "going on\n";
  return task === 3 || task === 8 ? "" : "bye\n";
}

Deno.test({
  name: "slurm array - %2 lets two run at a time, and the script's own --array is taken",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { config, dir } = fixture;
    // each says how many are under way with it, and goes on when it was read here
    const script = `#!/bin/bash
#SBATCH --array=1-9:2%2
: > ${dir}/running.$SLURM_ARRAY_TASK_ID
ls ${dir} | grep -c running
until [ -e ${dir}/go.$SLURM_ARRAY_TASK_ID ]; do sleep 0.05; done
rm ${dir}/running.$SLURM_ARRAY_TASK_ID`;
    const executor = new SlurmExecutor(config);
    const seen = new Map<number, string>();
    const reasons = new Set<string | undefined>();
    const reading: Promise<unknown>[] = [];
    for await (const [task, stream] of executor.streamAll({ text: script })) {
      reading.push(stream.onChunk(async (event) => {
        if (event.type === "status" && event.state === "queued") reasons.add(event.reason);
        if (event.type !== "token") return;
        seen.set(task, (seen.get(task) ?? "") + event.content);
        if (seen.get(task)!.endsWith("\n")) await Deno.writeTextFile(`${dir}/go.${task}`, "");
      }));
    }
    await Promise.all(reading);
    assertEquals([...seen.keys()].sort(), [1, 3, 5, 7, 9]);
    for (const count of seen.values()) assert(Number(count) <= 2, `${count} ran at a time`);
    assert(reasons.has("JobArrayTaskLimit"), [...reasons].join());
  },
});

Deno.test({
  name: "slurm array - a task is cancelled, remembered and taken up by itself",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { config } = fixture;
    Deno.env.set("STREAMRELAY_STATE", await Deno.makeTempDir({ dir: fixture.dir }));
    try {
      const executor = new SlurmExecutor({ ...config, record: true });
      const tasks = new Map<number, TokenStream>();
      for await (
        const [task, stream] of executor.streamAll({ text: "#!/bin/bash\necho hi" }, undefined, {
          array: "0-2",
          extra: ["--hold"],
        })
      ) tasks.set(task, stream);
      const record = await until(
        "the record of task 1",
        async () =>
          tasks.get(1)!.job.id !== undefined && await findJobRecord(tasks.get(1)!.job.id!),
      ) as SubmittedJob;
      assertEquals(record.jobId, tasks.get(1)!.job.id);
      assertEquals(await tasks.get(0)!.cancel("not this one"), "scheduler");
      assertEquals((await tasks.get(0)!.result).reason, "cancelled");

      // another reader, with nothing but the record
      const again = new SlurmExecutor(config).attach(record);
      const [array] = record.jobId.split("_");
      assertEquals((await runCommand(["scontrol", "release", array])).code, 0);
      assertEquals(await again.text(), "hi\n");
      assertEquals(await tasks.get(2)!.text(), "hi\n");
      assertEquals((await tasks.get(1)!.result).reason, "completed");
    } finally {
      Deno.env.delete("STREAMRELAY_STATE");
    }
  },
});

Deno.test({
  name: "slurm array - one token for its channels and no others; python3 makes the tasks' keys too",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { config, relay, secret } = fixture;
    const executor = new SlurmExecutor({ ...config, producer: { use: ["python3"] } });
    const texts: string[] = [];
    for await (
      const [, stream] of executor.streamAll({ text: "cat" }, "the same for all", { array: "4,7" })
    ) texts.push(await stream.text());
    assertEquals(texts, ["the same for all", "the same for all"]);

    const control = new ControlClient({ url: relay.url, token: secret });
    const one = await control.createArray({ tasks: [0, 1] });
    const other = await control.createChannel();
    const produce = new ControlClient({
      url: relay.url,
      token: one.channels[0].tokens.produce,
    });
    await produce.claim(`${one.id}-0`, { instance: "i" });
    await produce.claim(`${one.id}-1`, { instance: "i" });
    await assertRejects(() => produce.claim(other.id, { instance: "i" }), StreamError);
    await assertRejects(() => produce.claim(`${one.id}-2`, { instance: "i" }), StreamError);
  },
});

Deno.test({
  name: "slurm array - credentials in a file last for all tasks and are gone after the last",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { config, dir } = fixture;
    const executor = new SlurmExecutor({
      ...config,
      credentials: "file",
      credentialsFolder: `${dir}/credentials`,
    });
    const files = () => [...Deno.readDirSync(`${dir}/credentials`)].length;
    const texts: string[] = [];
    for await (
      const [task, stream] of executor.streamAll(
        { text: "echo $SLURM_ARRAY_TASK_ID" },
        undefined,
        { array: "0-2%1" },
      )
    ) {
      texts.push(await stream.text());
      if (task < 2) assertEquals(files(), 1);
    }
    assertEquals(texts, ["0\n", "1\n", "2\n"]);
    await until("the file to be gone", () => files() === 0);
  },
});

Deno.test({
  name:
    "slurm array - what can't be is refused in a sentence, what Slurm refuses ends every stream",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { config } = fixture;
    const first = async (array?: string, more = {}) => {
      const tasks = new SlurmExecutor(config).streamAll({ text: "echo" }, undefined, {
        array,
        ...more,
      });
      for await (const [, stream] of tasks) await stream.text();
    };
    for (const wrong of ["", "x", "3-1", "0-9%0", "0-5000", "0-9 --wrap=x", "0-9\n"]) {
      const error = await assertRejects(() => first(wrong), StreamError, "array");
      assertEquals(error.code, "bad_request");
    }
    assertStringIncludes(
      (await assertRejects(() => first(), StreamError)).message,
      'the option array: "0-9"',
    );
    const refused = await assertRejects(
      () => first("0-1", { partition: "no-such" }),
      StreamError,
      "partition",
    );
    assertEquals(refused.code, "submit_failed");
    const capped = await assertRejects(() => first("0-4", { maxJobs: 4 }), StreamError, "maxJobs");
    assertEquals(capped.code, "limit");
  },
});
