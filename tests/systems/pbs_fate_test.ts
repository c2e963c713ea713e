/** What PBS says of jobs, joined to their streams. @module */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type PbsConfig, PbsExecutor } from "../../adapters/mod.ts";
import { type StatusEvent, StreamError } from "../../stream/mod.ts";
import { until } from "../tools/until.ts";
import { type ExecutorFixture, executorFixture } from "./executor_fixture.ts";
import { needs } from "./needs.ts";
import { pbsSuite } from "./pbs_suite.ts";
import { runCommand } from "./run_command.ts";

const bin = Deno.env.get("STREAMRELAY_TEST_PBS");
const standIn = Deno.env.get("PBS_STAND_IN");
const TERMINAL = "echo go; exec sleep 60";

async function pbs(program: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runCommand([`${bin}/${program}`, ...args]);
  assertEquals(code, 0, stderr);
  return stdout;
}

pbsSuite(import.meta.url, needs("pbs"), (ignore) => {
  const test = (
    name: string,
    body: (make: (more?: PbsConfig) => PbsExecutor, fixture: ExecutorFixture) => Promise<void>,
    left = ignore,
  ) =>
    Deno.test({
      name: `pbs fate - ${name}`,
      ignore: left,
      async fn() {
        await using fixture = await executorFixture();
        await body((more) => new PbsExecutor({ ...fixture.config, bin, ...more }), fixture);
      },
    });
  /** For what only a switch of the stand-in can bring about. */
  const rehearse: typeof test = (name, body) => test(name, body, ignore || standIn === undefined);

  test("qdel from outside while running", async (make) => {
    const stream = make().stream({ text: TERMINAL });
    const error = await assertRejects(async () => {
      for await (const _ of stream) await pbs("qdel", stream.job.id!);
    }, StreamError);
    assertEquals(error.code, "job_cancelled");
    assertStringIncludes(error.message, "qdel");
  });

  test("qdel from outside while it waits", async (make) => {
    const stream = make({ extra: ["-h"] }).stream({ text: "echo never" });
    const error = await assertRejects(
      () =>
        stream.onChunk(async (event) => {
          if (event.type === "status" && event.state === "queued") await pbs("qdel", event.jobId!);
        }),
      StreamError,
    );
    assertEquals(error.code, "job_cancelled");
  });

  test("a job that is held waits, and runs when it is let go", async (make) => {
    const stream = make({ extra: ["-h"] }).stream({ text: "echo late" });
    let text = "";
    const reasons = new Set<string>();
    await stream.onChunk(async (event) => {
      if (event.type === "token") text += event.content;
      if (event.type !== "status" || event.state !== "queued" || reasons.size > 0) return;
      reasons.add(event.reason!);
      await pbs("qrls", event.jobId!);
    });
    assertEquals(text, "late\n");
    assertStringIncludes([...reasons][0], "Held");
  });

  test("out of time", async (make) => {
    const stream = make({ time: "0:02" }).stream({ text: TERMINAL });
    const error = await assertRejects(() => stream.text(), StreamError);
    assertEquals(error.code, "walltime");
  });

  test("a job that can never run is told, and taken back", async (make) => {
    const stream = make({ cpus: 100_000 }).stream({ text: "echo never" });
    const error = await assertRejects(() => stream.text(), StreamError);
    assertEquals(error.code, "never_startable");
    assertStringIncludes(error.message, "Can Never Run");
    const jobId = stream.job.id!;
    await until("it is gone", async () => {
      const { Jobs } = JSON.parse(await pbs("qstat", "-x", "-f", "-F", "json", jobId));
      return Jobs[jobId].job_state === "F";
    });
  });

  test("a job that is rerun is another attempt", async (make, { dir }) => {
    const stream = make().stream({
      text: `#!/bin/bash
if [ -e ${dir}/first ]; then echo second; exit; fi
: > ${dir}/first
echo first
exec sleep 60`,
    });
    const [whole, events] = stream.tee(2);
    const states: string[] = [];
    let rerun: Promise<string> | undefined;
    const [text] = await Promise.all([
      whole.text(),
      events.onChunk((event) => {
        if (event.type === "status") states.push(event.state);
        if (event.type === "token") rerun ??= pbs("qrerun", stream.job.id!);
      }),
    ]);
    await rerun;
    assertEquals(text, "second\n");
    assert(states.includes("restarted"), states.join());
  });

  rehearse("out of memory", async (make) => {
    const stream = make().stream({ text: TERMINAL });
    const error = await assertRejects(async () => {
      for await (const _ of stream) {
        const path = `${standIn}/jobs/${stream.job.id!.split(".")[0]}/job.json`;
        Deno.kill(JSON.parse(await Deno.readTextFile(path)).runner, "SIGUSR2");
      }
    }, StreamError);
    assertEquals(error.code, "oom");
  });

  test("a job that died before its producer could connect", async (make) => {
    const stream = make({ setup: ["echo so far >&2", "kill -KILL $$"] }).stream({ text: "true" });
    const { reason, error } = await stream.drain();
    assertEquals([reason, error?.details?.signal], ["job_failed", 9]);
    assertStringIncludes(`${error?.details?.output}`, "so far");
  });

  test("a wrapper that was killed is not a success", async (make) => {
    const stream = make().stream({ text: "#!/bin/bash\necho go\nkill -9 $PPID\nexec sleep 1" });
    const error = await assertRejects(() => stream.text(), StreamError);
    assertEquals(error.code, "job_failed");
    assertEquals(error.details.signal, 9);
  });

  test("nothing of the job reaches the relay", async (make, { config, relay, secret }) => {
    const { reason, error } = await make({
      relay: { url: relay.url, token: secret, jobUrl: "ws://127.0.0.1:9" },
      jobTimings: { ...config.jobTimings, giveUp: 0.5 },
    }).stream({ text: "echo unheard" }).drain();
    assert(["job_failed", "producer_lost"].includes(reason), reason);
    assertStringIncludes(String(error?.details.output), "127.0.0.1:9");
  });

  test("qsub refuses in its own words", async (make) => {
    const error = await assertRejects(
      () => make({ queue: "nowhere" }).stream({ text: "true" }).text(),
      StreamError,
    );
    assertEquals(error.code, "submit_failed");
    assertStringIncludes(error.message, "Unknown queue");
  });

  test(
    "directives are honoured, options win, and the output file is written at once",
    async (make, { dir }) => {
      const output = `${dir}/out put`;
      const stream = make({ output, name: "ours" }).stream({
        text: `#!/bin/bash
#PBS -N theirs -l walltime=0:10:00
#PBS -l select=1:ncpus=1
echo "$PBS_JOBNAME"; until [ -e ${dir}/go ]; do sleep 0.05; done`,
      });
      const statuses: StatusEvent[] = [];
      await stream.onChunk(async (event) => {
        if (event.type === "status") statuses.push(event);
        if (event.type !== "token") return;
        assertEquals(event.content, "ours\n");
        await until("it is in the file", async () => await Deno.readTextFile(output) === "ours\n");
        const { Jobs } = JSON.parse(await pbs("qstat", "-f", "-F", "json", stream.job.id!));
        assertEquals(Jobs[stream.job.id!].Resource_List.walltime.replace(/^0+/, ""), ":10:00");
        await Deno.writeTextFile(`${dir}/go`, "");
      });
      // no limit of ours, hence nothing to announce
      assertEquals(statuses[0].reason, undefined);
    },
  );

  test("qstat shows no token, no prompt, no value", async (make, { dir, secret }) => {
    const stream = make({ env: { VALUE: "a-value" } }).stream(
      { text: `#!/bin/bash\necho go\nuntil [ -e ${dir}/go ]; do sleep 0.05; done; cat` },
      "the-prompt",
      { args: ["an-argument"] },
    );
    let seen = "";
    for await (const token of stream) {
      if (token !== "go\n") continue;
      seen = await pbs("qstat", "-f", stream.job.id!.split(".")[0], "-F", "json") +
        (await runCommand(["ps", "axww", "-o", "args"])).stdout;
      await Deno.writeTextFile(`${dir}/go`, "");
    }
    assertStringIncludes(seen, "Submit_arguments");
    for (const hidden of ["the-prompt", "a-value", "eyJ", secret]) {
      assert(!seen.includes(hidden), hidden);
    }
  });

  test("a submitted job is left, and taken up by another", async (make, { dir }) => {
    Deno.env.set("STREAMRELAY_STATE", `${dir}/state`);
    try {
      const job = await make().submit({ text: "cat; exit 4" }, "left\n");
      assertEquals(job.executor, "pbs");
      const stream = make().attach(job);
      let text = "";
      const error = await assertRejects(async () => {
        for await (const token of stream) text += token;
      }, StreamError);
      assertEquals([text, error.code, error.details.exitCode], ["left\n", "job_failed", 4]);
    } finally {
      Deno.env.delete("STREAMRELAY_STATE");
    }
  });

  rehearse("twenty jobs that wait cost one question", async (make) => {
    const executor = make({ queue: "full" });
    const streams = Array.from({ length: 20 }, () => executor.stream({ text: "true" }));
    const queued = await Promise.all(streams.map(async (stream) => {
      let reason = "";
      let eta: number | undefined;
      await stream.onChunk(async (event) => {
        if (event.type !== "status" || event.state !== "queued") return;
        ({ reason = "", eta } = event);
        await stream.cancel();
      });
      return { reason, eta };
    }));
    for (const { reason, eta } of queued) {
      assertStringIncludes(reason, "Not Running");
      assertEquals(eta, 4_102_444_800_000);
    }
    const calls = (await Deno.readTextFile(`${standIn}/calls`)).split("\n");
    assert(calls.filter((line) => line === "qstat -x -f -F json").length < 20);
  });

  rehearse("a server that keeps no history has forgotten the job", async (make) => {
    await Deno.writeTextFile(`${standIn}/no_history`, "");
    try {
      // another folder of programs is another server
      const stream = make({ bin: `${bin}/.` }).stream({
        text: "#!/bin/bash\necho go\nkill -9 $PPID\nexec sleep 1",
      });
      const error = await assertRejects(() => stream.text(), StreamError);
      assertEquals(error.code, "producer_lost");
      assertStringIncludes(error.message, "forgotten");
    } finally {
      await Deno.remove(`${standIn}/no_history`);
    }
  });

  rehearse("a server out of reach is told, and waited for", async (make) => {
    const stream = make({ extra: ["-h"] }).stream({ text: "echo late" });
    let told = "";
    let text = "";
    await stream.onChunk(async (event) => {
      if (event.type === "token") text += event.content;
      if (event.type !== "status" || event.state !== "queued" || told !== "") return;
      if (event.reason?.includes("could not be asked")) {
        told = event.reason;
        await Deno.remove(`${standIn}/down`);
        await pbs("qrls", event.jobId!);
      } else {
        await Deno.writeTextFile(`${standIn}/down`, "");
      }
    });
    assertStringIncludes(told, "cannot connect to server");
    assertEquals(text, "late\n");
  });
});
