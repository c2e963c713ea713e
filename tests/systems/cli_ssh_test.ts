/** What a user sees of `run ssh`, `ls`, `logs`, `attach` and `cancel`, over a real sshd. @module */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { until } from "../tools/until.ts";
import { person } from "./command_line.ts";
import { needs } from "./needs.ts";
import { runCommand } from "./run_command.ts";

const { ignore } = needs("ssh");
const sshConfig = Deno.env.get("STREAMRELAY_TEST_SSH") ?? "";
const HOST = ["--host", "hpc", "--ssh-config", sshConfig];

/** Whether a process whose id a job wrote down still runs. */
async function lives(path: string): Promise<boolean> {
  const pid = (await Deno.readTextFile(path)).trim();
  const { stdout } = await runCommand(["ps", "-o", "stat=", "-p", pid]);
  return stdout.trim() !== "" && !stdout.startsWith("Z");
}

Deno.test({
  name: "run ssh - the prompt goes in, the words come out; other terminals see it",
  ignore,
  async fn() {
    await using somebody = await person();
    const { home } = somebody;
    const job = await somebody.script(
      `cat; echo " $1 $WORD $PWD"; until [ -e ${home}/go ]; do sleep 0.05; done; echo rest`,
    );
    const flags = ["--workdir", home, "--env", "WORD=said"];
    const run = somebody.start(["run", "ssh", job, ...HOST, ...flags, "--", "first"], {
      stdin: "What is a tide?",
    });
    const first = `What is a tide? first said ${home}\n`;
    await run.printed(first);
    const { stdout } = await somebody.run(["ls"]);
    const [, channel] = /^(\S+) +hpc:\d+ +ssh +running .* infer\.sh$/m.exec(stdout) ?? [];
    assert(channel, stdout);
    const [logs, attached] = [["logs", channel], ["attach", channel]].map((args) =>
      somebody.start(args)
    );
    await logs.printed(first);
    await attached.printed(first);
    // who only read has nothing to end
    logs.kill("SIGINT");
    assertEquals((await logs.outcome).code, 130);
    attached.kill("SIGKILL");
    await attached.outcome;
    await Deno.writeTextFile(`${home}/go`, "");
    assertEquals(await run.outcome, { code: 0, stdout: `${first}rest\n`, stderr: "" });
    assertEquals((await somebody.run(["ls"])).stdout, "");
  },
});

Deno.test({
  name: "run ssh - a failing job, a script that is there, a profile",
  ignore,
  async fn() {
    await using somebody = await person();
    const job = await somebody.script("echo out; echo wrong >&2; exit 4");
    await somebody.profiles({ box: { executor: "ssh", host: "hpc", sshConfig } });
    for (
      const way of [["run", job, "--profile", "box"], ["run", "ssh", job, ...HOST, "--remote"]]
    ) {
      const { code, stdout, stderr } = await somebody.run(way);
      assertEquals([code, stdout], [12, "out\n"], stderr);
      assertMatch(stderr, /exit code 4.*\[job_failed\]\n.*\n {2}\| wrong\n$/);
    }
    const nowhere = await somebody.run(["run", "ssh", job, "--host=-oProxyCommand=x"]);
    assertEquals(nowhere.code, 24);
    assertMatch(nowhere.stderr, /^streamrelay: Cannot use ssh host "-oProxyCommand=x".*\n$/);
  },
});

Deno.test({
  name: "run ssh - killed by SIGKILL, the job ends with it, and ls and logs tell",
  ignore,
  async fn() {
    await using somebody = await person();
    const relay = somebody.start([
      "serve",
      "--port",
      "0",
      "--lease-grace",
      "0",
      "--producer-grace",
      "1",
    ]);
    await relay.printed("\n");
    const pid = `${somebody.home}/pid`;
    const job = await somebody.script(`echo $$ >${pid}; echo started; sleep 600`);
    const run = somebody.start(["run", "ssh", job, ...HOST, "--no-prompt"]);
    await run.printed("started\n");
    assert(await lives(pid));
    run.kill("SIGKILL");
    await run.outcome;
    await until("the job has ended", async () => !await lives(pid));
    const told = / (job_failed|producer_lost) /;
    await until("ls tells", async () => told.test((await somebody.run(["ls"])).stdout));
    const { stdout: list } = await somebody.run(["ls"]);
    // on a slow machine its producer may be killed before it has said so
    const [, state] = told.exec(list)!;
    const [channel] = list.split("\n")[1].split(" ");
    for (const command of ["logs", "attach"]) {
      const { code, stdout, stderr } = await somebody.run([command, channel]);
      assertEquals([code, stdout], [state === "job_failed" ? 12 : 17, "started\n"], stderr);
      assertMatch(stderr, new RegExp(`^streamrelay: .* \\[${state}\\]\n`));
    }
  },
});

Deno.test({
  name: "run ssh - cancelled by another terminal, and by Ctrl-C of one that attached",
  ignore,
  async fn() {
    await using somebody = await person();
    const pid = `${somebody.home}/pid`;
    const job = await somebody.script(`echo $$ >${pid}; echo started; sleep 600`);
    // a host whose shells need not know of Deno has our producer this way, which can be told at once
    const folder = Deno.execPath().replace(/\/[^/]+$/, "");
    const start = async () => {
      const run = somebody.start(
        ["run", "ssh", job, ...HOST, "--setup", `PATH="$PATH:${folder}"`, "--no-prompt"],
      );
      await run.printed("started\n");
      const [, channel] = /^(\S+) .* running /m.exec((await somebody.run(["ls"])).stdout)!;
      return { run, channel };
    };
    const first = await start();
    const cancel = await somebody.run(["cancel", first.channel, "--reason", "changed my mind"]);
    assertEquals([cancel.code, cancel.stderr], [0, ""]);
    assertMatch(cancel.stdout, /^hpc:\d+ was told to stop\n$/);
    const told = await first.run.outcome;
    assertEquals(told.code, 130);
    assertMatch(told.stderr, /changed my mind \[cancelled\]\n$/);
    await until("the job has ended", async () => !await lives(pid));

    const second = await start();
    const attached = somebody.start(["attach", second.channel]);
    await attached.printed("started\n");
    attached.kill("SIGINT");
    assertEquals((await attached.outcome).code, 130);
    assertEquals((await second.run.outcome).code, 130);
    await until("the job has ended", async () => !await lives(pid));
  },
});

Deno.test("run ssh - what can't be is told in one sentence", async () => {
  await using somebody = await person();
  const job = await somebody.script("true");
  const cases: [string[], RegExp][] = [
    [["--host", "hpc", "--detach"], /Cannot use --detach with run ssh: a job over ssh lives no/],
    [[], /Cannot tell where to run: expected --host HOST, or a profile with host/],
    [["--host", "hpc", "--time", "5"], /Cannot use --time with run ssh: expected run slurm, run /],
    [["--host", "hpc", "--via", "x"], /Cannot use --via with run ssh: expected run slurm or run/],
    [["--host", "hpc", "--on-disconnect", "keep"], /Cannot use --on-disconnect with run ssh/],
  ];
  for (const [flags, words] of cases) {
    const { code, stderr } = await somebody.run(["run", "ssh", job, ...flags]);
    assertEquals(code, 2, stderr);
    assertMatch(stderr, words);
    assertEquals(stderr.trim().split("\n").length, 1);
  }
});
