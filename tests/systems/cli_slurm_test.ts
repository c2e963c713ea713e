/** What a user sees of `run slurm` and its like, with a real Slurm. @module */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { until } from "../tools/until.ts";
import { person } from "./command_line.ts";
import { needs } from "./needs.ts";
import { runCommand } from "./run_command.ts";

const { ignore } = needs("slurm");

/** A job's fields, as Slurm tells them. */
async function jobOf(id: string): Promise<string> {
  return (await runCommand(["scontrol", "show", "job", id])).stdout;
}

Deno.test({
  name: "run slurm - the prompt goes in, the words come out while the job runs",
  ignore,
  async fn() {
    await using somebody = await person();
    const job = await somebody.script(
      `#SBATCH --comment=mine\ncat; echo " $1 $SLURM_JOB_NAME"; while [ ! -e ${somebody.home}/go ]; do sleep 0.05; done; echo rest`,
    );
    const run = somebody.start(
      ["run", "slurm", job, "--partition", "main", "--time", "2", "--cpus", "1", "--", "first"],
      { stdin: "What is a tide?" },
    );
    await run.printed("What is a tide? first infer.sh\n");
    const { stdout } = await somebody.run(["ls"]);
    const [, id] = / (\d+) +slurm +running /.exec(stdout) ?? [];
    assert(id, stdout);
    const told = await jobOf(id);
    assertMatch(told, /Comment=mine/);
    assertMatch(told, /TimeLimit=00:02:00/);
    await Deno.writeTextFile(`${somebody.home}/go`, "");
    assertEquals(await run.outcome, {
      code: 0,
      stdout: "What is a tide? first infer.sh\nrest\n",
      stderr: "",
    });
    // its output file is where Slurm's users look for it
    const copy = await Deno.readTextFile(`${somebody.home}/slurm-${id}.out`);
    assertStringIncludes(copy, "What is a tide? first infer.sh\nrest\n");
  },
});

Deno.test({
  name: "run slurm - a failing job, a partition that there is not, a profile",
  ignore,
  async fn() {
    await using somebody = await person();
    const job = await somebody.script("echo out; echo wrong >&2; exit 4");
    await somebody.profiles({ small: { executor: "slurm", partition: "tiny", time: 1 } });
    const failed = await somebody.run(["run", job, "--profile", "small"]);
    assertEquals([failed.code, failed.stdout], [12, "out\n"]);
    assertMatch(failed.stderr, /exit code 4.*\[job_failed\]\n.*\n {2}\| wrong\n$/);
    const refused = await somebody.run(["run", "slurm", job, "--partition", "nowhere"]);
    assertEquals(refused.code, 10);
    assertMatch(refused.stderr, /^streamrelay: sbatch refused: .*partition.*\[submit_failed\]\n/);
  },
});

Deno.test({
  name: "run slurm - --detach, ls, logs; cancel by the scheduler's id while it waits",
  ignore,
  async fn() {
    await using somebody = await person();
    const job = await somebody.script("cat; echo; sleep 600");
    const left = await somebody.run(
      ["run", "slurm", job, "--extra=--begin=now+1hour", "--detach"],
      { stdin: "later" },
    );
    assertEquals(left.code, 0, left.stderr);
    const [, id] = /Submitted as (\d+) \(slurm\)/.exec(left.stderr)!;
    assertMatch(await jobOf(id), /JobState=PENDING/);
    assertMatch((await somebody.run(["ls"])).stdout, new RegExp(` ${id} +slurm +waiting `));
    const logs = somebody.start(["logs", id, "--events"]);
    await logs.printed('"state":"submitted"');
    const cancelled = await somebody.run(["cancel", id, "--reason", "changed my mind"]);
    assertEquals([cancelled.code, cancelled.stdout], [
      0,
      `${id} was cancelled at the scheduler\n`,
    ], cancelled.stderr);
    assertMatch(await jobOf(id), /JobState=CANCELLED/);
    const { code, stderr } = await logs.outcome;
    assertEquals(code, 130);
    assertMatch(stderr, /changed my mind \[cancelled\]\n$/);
    assertMatch((await somebody.run(["ls"])).stdout, / cancelled /);
  },
});

Deno.test({
  name: "run slurm - a detached job that fails is found out by logs; leaving logs leaves it",
  ignore,
  async fn() {
    await using somebody = await person();
    const job = await somebody.script(
      `echo started; while [ ! -e ${somebody.home}/go ]; do sleep 0.05; done; kill -9 $$`,
    );
    const left = await somebody.run(["run", "slurm", job, "--no-prompt", "--detach"]);
    assertEquals(left.code, 0, left.stderr);
    const channel = left.stdout.trim();
    const first = somebody.start(["logs", channel]);
    await first.printed("started");
    first.kill("SIGINT");
    assertEquals((await first.outcome).code, 130);
    const second = somebody.start(["logs", channel]);
    await second.printed("started");
    await Deno.writeTextFile(`${somebody.home}/go`, "");
    const { code, stderr } = await second.outcome;
    assertEquals(code, 12, stderr);
    assertMatch(stderr, /^streamrelay: .*\[job_failed\]\n/);
    assertMatch((await somebody.run(["ls"])).stdout, / job_failed /);
  },
});

Deno.test({
  name: "run slurm - Ctrl-C cancels the job at the scheduler",
  ignore,
  async fn() {
    await using somebody = await person();
    const job = await somebody.script('echo "$SLURM_JOB_ID"; sleep 600');
    const run = somebody.start(["run", "slurm", job, "--no-prompt"]);
    const id = (await run.printed(/^\d+\n/)).trim();
    run.kill("SIGINT");
    const { code, stderr } = await run.outcome;
    assertEquals(code, 130, stderr);
    await until("Slurm has cancelled it", async () => /JobState=CANCELLED/.test(await jobOf(id)));
  },
});

Deno.test({
  name: "run slurm - a terminal that goes away leaves the job in the queue",
  ignore,
  async fn() {
    await using somebody = await person();
    const job = await somebody.script("true");
    const run = somebody.start(
      ["run", "slurm", job, "--no-prompt", "--extra=--begin=now+1hour", "--events"],
    );
    const [, id] = /"state":"submitted","jobId":"(\d+)"/.exec(await run.printed("submitted"))!;
    run.kill("SIGHUP");
    assertEquals((await run.outcome).code, 129);
    assertMatch((await somebody.run(["ls"])).stdout, new RegExp(` ${id} +slurm +waiting `));
    assertMatch(await jobOf(id), /JobState=PENDING/);
    assertEquals((await somebody.run(["cancel", id])).code, 0);
  },
});

Deno.test({
  name: "demo - goes to Slurm where it answers",
  ignore,
  async fn() {
    await using somebody = await person();
    const { code, stdout, stderr } = await somebody.run(["demo", "--tokens", "5"]);
    assertEquals(code, 0, stderr);
    assertMatch(stdout, /\w+ \w+/);
    assertStringIncludes(stderr, "The job is submitted to Slurm");
    // a demo leaves nothing where it was typed
    const left = await Array.fromAsync(Deno.readDir(somebody.home));
    assertEquals(left.map(({ name }) => name), ["state"]);
  },
});
