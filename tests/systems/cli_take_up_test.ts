/** Whoever typed `run slurm` is gone: what another terminal can do with the job, on a real Slurm. @module */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { until } from "../tools/until.ts";
import { type Person, person, type RunningCommand } from "./command_line.ts";
import { needs } from "./needs.ts";
import { runCommand } from "./run_command.ts";
import { startSshServer } from "./ssh_server.ts";

const { ignore } = needs("slurm", "ssh");
const conf = Deno.env.get("SLURM_CONF") ?? "";

async function stateOf(id: string): Promise<string> {
  const { stdout } = await runCommand(["squeue", "-h", "-t", "all", "-j", id, "-o", "%T"]);
  return stdout.trim();
}

async function relayOf(somebody: Person): Promise<string> {
  const relay = somebody.start(["serve", "--port", "0"]);
  const [url] = /ws:\S+\d/.exec(await relay.printed("\n"))!;
  return url;
}

async function isKilled(run: RunningCommand): Promise<void> {
  run.kill("SIGKILL");
  await run.outcome;
}

Deno.test({
  name: "take up - run is killed, --on-disconnect keep: the job goes on, attach has all of it",
  ignore,
  async fn() {
    await using somebody = await person();
    const { home } = somebody;
    const job = await somebody.script(
      `echo "$SLURM_JOB_ID"; until [ -e ${home}/go ]; do sleep 0.05; done; echo wrong >&2; exit 4`,
    );
    const run = somebody.start(
      ["run", "slurm", job, "--no-prompt", "--on-disconnect", "keep"],
    );
    const id = (await run.printed(/^\d+\n/)).trim();
    await isKilled(run);
    // this terminal is not set up for the cluster: the job's record says where it is
    const attached = somebody.start(["attach", id], { env: { SLURM_CONF: "/no/such/slurm.conf" } });
    await attached.printed(`${id}\n`);
    assertEquals(await stateOf(id), "RUNNING");
    await Deno.writeTextFile(`${home}/go`, "");
    const { code, stdout, stderr } = await attached.outcome;
    assertEquals([code, stdout], [12, `${id}\n`], stderr);
    assertMatch(stderr, /exit code 4.*\[job_failed\]\n.*\n {2}\| wrong\n$/);
  },
});

Deno.test({
  name: "take up - run is killed, --on-disconnect 0: the job ends with it",
  ignore,
  async fn() {
    await using somebody = await person();
    const job = await somebody.script('echo "$SLURM_JOB_ID"; exec sleep 600');
    const run = somebody.start(["run", "slurm", job, "--no-prompt", "--on-disconnect", "0"]);
    const id = (await run.printed(/^\d+\n/)).trim();
    await isKilled(run);
    await until(
      "the job is gone",
      async () => !/^(RUNNING|COMPLETING)$/.test(await stateOf(id)),
    );
    const { code, stdout, stderr } = await somebody.run(["attach", id]);
    assertEquals([code, stdout], [130, `${id}\n`], stderr);
    assertMatch(stderr, /\[cancelled\]\n$/);
  },
});

Deno.test({
  name: "take up - killed while the job waits on a login node: attach and cancel go there again",
  ignore,
  async fn() {
    await using server = await startSshServer({ extra: `SetEnv SLURM_CONF=${conf}` });
    await using somebody = await person();
    const url = await relayOf(somebody);
    const env = { SLURM_CONF: "/no/such/slurm.conf" };
    const job = await somebody.script("echo kept");
    const way = ["--via", server.host, "--ssh-config", server.config, "--url", url];
    const submit = async () => {
      const run = somebody.start(
        ["run", "slurm", job, ...way, "--no-prompt", "--extra=--hold", "--events"],
        { env },
      );
      const [, id] = /"state":"submitted","jobId":"(\d+)"/.exec(await run.printed("submitted"))!;
      await isKilled(run);
      assertEquals(await stateOf(id), "PENDING");
      return id;
    };
    const first = await submit();
    const attached = somebody.start(["attach", first], { env });
    await runCommand(["scontrol", "release", first]);
    assertEquals(await attached.outcome, { code: 0, stdout: "kept\n", stderr: "" });

    const second = await submit();
    const cancel = await somebody.run(["cancel", second, "--reason", "no more"], { env });
    assertEquals(
      [cancel.code, cancel.stdout],
      [0, `${second} was cancelled at the scheduler\n`],
      cancel.stderr,
    );
    assertEquals(await stateOf(second), "CANCELLED");
    const logs = await somebody.run(["logs", second], { env });
    assertEquals(logs.code, 130);
    assertMatch(logs.stderr, /no more \[cancelled\]\n$/);
  },
});

Deno.test({
  name: "take up - who holds nothing but a cancel token ends a job of another process",
  ignore,
  async fn() {
    await using somebody = await person();
    await using other = await person();
    const url = await relayOf(somebody);
    const job = await somebody.script('echo "$SLURM_JOB_ID"; exec sleep 600');
    const run = somebody.start(["run", "slurm", job, "--no-prompt", "--url", url]);
    const id = (await run.printed(/^\d+\n/)).trim();
    const [, channel] = /^(\S+) .* running /m.exec((await somebody.run(["ls"])).stdout)!;
    const minted = await somebody.run(["token", "--channel", channel, "--role", "cancel"]);
    assertEquals(minted.code, 0, minted.stderr);
    const token = minted.stdout.trim();
    // it opens nothing else
    const where = ["--url", url, "--channel", channel];
    const env = { STREAMRELAY_TOKEN: token };
    assertEquals((await other.run(["consume", ...where], { env })).code, 20);
    const cancel = await other.run(["cancel", ...where, "--reason", "from afar"], { env });
    assertEquals([cancel.code, cancel.stderr], [0, ""]);
    assertMatch(cancel.stdout, /^\S+ was told to stop\n$/);
    const { code, stderr } = await run.outcome;
    assertEquals(code, 130);
    assertMatch(stderr, /from afar \[cancelled\]\n$/);
    await until("Slurm has ended it", async () => await stateOf(id) === "CANCELLED");
  },
});

Deno.test({
  name:
    "take up - nodes that reach no relay: run and attach follow the job's files on the login node",
  ignore,
  async fn() {
    await using server = await startSshServer({ extra: `SetEnv SLURM_CONF=${conf}` });
    await using somebody = await person();
    const { home } = somebody;
    const env = { SLURM_CONF: "/no/such/slurm.conf" };
    const job = await somebody.script(
      `cat; until [ -e ${home}/go ]; do sleep 0.05; done; echo rest; exit 4`,
    );
    const way = ["--via", server.host, "--ssh-config", server.config];
    // no relay is named, for none has to be reached but from here
    const files = ["--transport", "file", "--spool-folder", `${home}/spool`];
    const run = somebody.start(
      ["run", "slurm", job, ...way, ...files, "--on-disconnect", "keep"],
      { env, stdin: "What is a tide?\n" },
    );
    await run.printed("What is a tide?\n");
    const { stdout } = await somebody.run(["ls"]);
    const [, id] = / (\d+) +slurm +running /.exec(stdout) ?? [];
    assert(id, stdout);
    await isKilled(run);
    const attached = somebody.start(["attach", id], { env });
    await attached.printed("What is a tide?\n");
    await Deno.writeTextFile(`${home}/go`, "");
    const outcome = await attached.outcome;
    assertEquals([outcome.code, outcome.stdout], [12, "What is a tide?\nrest\n"], outcome.stderr);
    assertMatch(outcome.stderr, /exit code 4.*\[job_failed\]\n/);
  },
});
