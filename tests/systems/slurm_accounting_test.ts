/** Fates, as a Slurm with accounting, preemption and memory limits tells them. @module */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type SlurmConfig, SlurmExecutor } from "../../adapters/mod.ts";
import { StreamError, type TokenStream } from "../../stream/mod.ts";
import { until } from "../tools/until.ts";
import { type AccountingFixture, onAccounts } from "./accounting_fixture.ts";
import { needs } from "./needs.ts";

const { ignore } = needs("slurmdbd");
const other = Deno.env.get("STREAMRELAY_TEST_OTHER_USER") ?? "";
const SLEEPS = "#!/bin/bash\necho go\nexec sleep 300";
/** Says which attempt it is, and ends in the second. */
const TWICE = `#!/bin/bash
echo "attempt \${SLURM_RESTART_COUNT:-0}"
[ "\${SLURM_RESTART_COUNT:-0}" = 1 ] || exec sleep 300`;

/** One test on the cluster. */
function fate(
  name: string,
  fn: (
    fixture: AccountingFixture,
    stream: (text: string, config?: Partial<SlurmConfig>) => TokenStream,
  ) => Promise<void>,
): void {
  Deno.test({
    name: `slurm accounting - ${name}`,
    ignore,
    fn: () =>
      onAccounts((fixture) =>
        fn(
          fixture,
          (text, config) => new SlurmExecutor({ ...fixture.config, ...config }).stream({ text }),
        )
      ),
  });
}

/** How a stream fails, when something is done to its job as soon as it talks. */
async function failure(
  stream: TokenStream,
  act: (jobId: string) => Promise<unknown> = async () => {},
): Promise<StreamError> {
  return await assertRejects(async () => {
    for await (const _ of stream) await act(stream.job.id!);
  }, StreamError);
}

/** What a stream says in the end, when something is done to its job's first attempt as soon as it talks. */
async function lastAttempt(
  stream: TokenStream,
  act: (jobId: string) => Promise<unknown>,
): Promise<{ text: string; states: string[] }> {
  const [whole, events] = stream.tee(2);
  const states: string[] = [];
  let acted: Promise<unknown> | undefined;
  const [text] = await Promise.all([
    whole.text(),
    events.onChunk((event) => {
      if (event.type === "status") states.push(event.state);
      if (event.type === "token") acted ??= act(stream.job.id!);
    }),
  ]);
  await acted;
  return { text, states };
}

fate("out of memory, without cgroups", async ({ config }, stream) => {
  for (const error of [undefined, `${config.workdir}/errors`]) {
    const told = await failure(stream(
      `#!/usr/bin/python3 -u
import time
print("go")
held = bytearray(700 << 20)
for at in range(0, len(held), 4096): held[at] = 1
time.sleep(300)`,
      { memory: "500M", ...(error && { error }) },
    ));
    assertEquals(told.code, "oom");
    assertEquals(told.details.signal, 9);
    assert(told.details.node);
  }
});

fate("out of time", async ({ slurm }, stream) => {
  const error = await failure(
    stream(SLEEPS, { time: 1 }),
    (jobId) => slurm("scontrol", "update", `JobId=${jobId}`, "EndTime=now+2"),
  );
  assertEquals(error.code, "walltime");
});

fate("preempted and cancelled", async ({ slurm, dir }, stream) => {
  let rival = "";
  const error = await failure(
    stream(SLEEPS, { partition: "cancelled" }),
    async () => rival = await preempt(slurm, dir),
  );
  assertEquals(error.code, "preempted");
  assert(error.details.node);
  await slurm("scancel", rival);
});

fate("preempted and requeued: another attempt", async ({ slurm, startAgain, dir }, stream) => {
  const { text, states } = await lastAttempt(
    stream(TWICE, { partition: "requeued" }),
    async (jobId) => {
      const rival = await preempt(slurm, dir);
      await startAgain(jobId);
      await slurm("scancel", rival);
    },
  );
  assertEquals(text, "attempt 1\n");
  assert(states.includes("restarted"), states.join());
});

fate("an exit code that the site has started over, and one it has not", async (fixture, stream) => {
  const script = (code: number) =>
    `#!/bin/bash
echo "attempt \${SLURM_RESTART_COUNT:-0}"
[ "\${SLURM_RESTART_COUNT:-0}" = 1 ] || exit ${code}`;
  const { text } = await lastAttempt(stream(script(75)), fixture.startAgain);
  assertEquals(text, "attempt 1\n");
  const error = await failure(stream(script(74)));
  assertEquals([error.code, error.details.exitCode], ["job_failed", 74]);
});

fate("a script that requeues its own job", async ({ startAgain }, stream) => {
  const { text } = await lastAttempt(
    stream(`#!/bin/bash
echo "attempt \${SLURM_RESTART_COUNT:-0}"
[ "\${SLURM_RESTART_COUNT:-0}" = 1 ] || { scontrol requeue $SLURM_JOB_ID; exec sleep 300; }`),
    startAgain,
  );
  assertEquals(text, "attempt 1\n");
});

fate("the node fails", async ({ slurm }, stream) => {
  const error = await failure(
    stream(SLEEPS, { extra: ["--no-requeue"] }),
    () => nodeFails(slurm),
  );
  assertEquals(error.code, "node_failure");
});

fate("the node fails under a job that may be requeued", async ({ slurm, startAgain }, stream) => {
  const { text } = await lastAttempt(stream(TWICE), async (jobId) => {
    await nodeFails(slurm);
    await startAgain(jobId);
  });
  assertEquals(text, "attempt 1\n");
});

fate("cancelled by its owner, and by an administrator", async ({ slurm }, stream) => {
  const own = await failure(stream(SLEEPS), (jobId) => slurm("scancel", jobId));
  assertEquals([own.code, own.details.cancelledBy], ["job_cancelled", Deno.uid()]);
  assertStringIncludes(own.message, "by its owner");

  await slurm("sacctmgr", "-i", "add", "account", "test");
  await slurm("sacctmgr", "-i", "add", "user", other, "account=test", "adminlevel=Administrator");
  const uid = Number(await slurm("id", "-u", other));
  for (const extra of [[], ["--hold"]]) {
    const job = stream(SLEEPS, { extra });
    const cancel = (jobId: string) => slurm("runuser", "-u", other, "--", "scancel", jobId);
    const queued = until("its id", () => job.job.id);
    const [error] = await Promise.all([
      failure(job, extra.length ? undefined : cancel),
      extra.length ? queued.then(cancel) : queued,
    ]);
    assertEquals([error.code, error.details.cancelledBy], ["job_cancelled", uid]);
    assertStringIncludes(error.message, `an administrator of the cluster (uid ${uid})`);
  }
});

fate("held says so, and streams when it is released", async ({ slurm }, stream) => {
  let text = "";
  let held = false;
  await stream("echo at last", { extra: ["--hold"] }).onChunk(async (event) => {
    if (event.type === "token") text += event.content;
    if (event.type !== "status" || event.reason !== "JobHeldUser" || held) return;
    held = true;
    assertEquals(event.state, "queued");
    await slurm("scontrol", "release", event.jobId!);
  });
  assert(held);
  assertEquals(text, "at last\n");
});

fate("never startable, whoever cancels it first", async ({ slurm, dir }, stream) => {
  const failed = await slurm(
    "bash",
    "-c",
    `sbatch --parsable --wait -o ${dir}/o <<<'#!/bin/false'`,
  );
  const error = await failure(
    stream("echo never", {
      extra: [`--dependency=afterok:${failed}`, "--kill-on-invalid-dep=yes"],
    }),
  );
  assertEquals(error.code, "never_startable");
});

fate("a job that died before its producer could connect", async (_fixture, stream) => {
  const error = await failure(
    stream("echo never", { setup: ["echo so far >&2", "kill -KILL $$"] }),
  );
  assertEquals([error.code, error.details.signal], ["job_failed", 9]);
  assertStringIncludes(`${error.details.output}`, "so far");
});

fate(
  "a job is explained after the controller has forgotten it",
  async ({ slurm, dir, config, stateOf }) => {
    const executor = new SlurmExecutor(config);
    for (const [code, told] of [[0, "completed"], [7, "job_failed"]] as const) {
      const jobId = await slurm(
        "bash",
        "-c",
        `sbatch --parsable -o ${dir}/o <<<$'#!/bin/bash\nexit ${code}'`,
      );
      await until("it to be forgotten", async () => (await stateOf(jobId)) === "", {
        within: 120_000,
      });
      const fate = await executor.explain(jobId);
      assertEquals([fate?.code, fate?.details.exitCode], [told, code]);
    }
  },
);

fate("place in the queue, and expected start", async ({ slurm, stateOf, dir }, stream) => {
  const all = ["sbatch", "--parsable", "-c", "4", "-t", "30", "-o", `${dir}/o`, "--wrap=sleep 300"];
  const before = [await slurm(...all), await slurm(...all)];
  try {
    await until("the first to run", async () => (await stateOf(before[0])) === "RUNNING");
    const waiting = stream("echo never", { cpus: 4, time: 5 });
    await waiting.onChunk(async (event) => {
      if (event.type !== "status" || event.position === undefined || event.eta === undefined) {
        return;
      }
      assertEquals([event.state, event.position], ["queued", 2]);
      assert(event.eta > Date.now());
      await waiting.cancel();
    });
  } finally {
    await slurm("scancel", ...before);
  }
});

/** Submits a job that needs the whole node, and before which others give way. */
async function preempt(slurm: AccountingFixture["slurm"], dir: string): Promise<string> {
  return await slurm(
    ...["sbatch", "--parsable", "-p", "first", "-c", "4", "-o", `${dir}/rival`, "--wrap=sleep 300"],
  );
}

async function nodeFails(slurm: AccountingFixture["slurm"]): Promise<void> {
  const node = await slurm("sinfo", "-h", "-p", "main", "-o", "%N");
  await slurm("scontrol", "update", `NodeName=${node}`, "State=down", "Reason=test");
  await slurm("scontrol", "update", `NodeName=${node}`, "State=resume");
}
