/** What a user sees of `run`, `ls`, `logs`, `attach` and `cancel` with jobs of this machine. @module */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { until } from "../tools/until.ts";
import { type Person, person } from "./command_line.ts";
import { runCommand } from "./run_command.ts";

/** Runs a command on a terminal of its own, and gives what that terminal showed. */
async function onTerminal(
  somebody: Person,
  command: string,
  stdin = "",
): Promise<{ code: number; shown: string }> {
  const line = `cd ${somebody.home} && deno run -A --quiet ${Deno.cwd()}/cli.ts ${command}`;
  const { code, stdout } = await runCommand(["script", "-qec", line, "/dev/null"], {
    stdin,
    env: { XDG_STATE_HOME: `${somebody.home}/state`, SHELL: "/bin/bash", NO_COLOR: "1" },
  });
  return { code, shown: stdout };
}

Deno.test("run local - the prompt goes in by stdin, the answer comes out as it is written", async () => {
  await using somebody = await person();
  const job = await somebody.script(
    'read -r prompt; echo "to: $prompt"; while [ ! -e go ]; do sleep 0.02; done; echo rest',
  );
  const run = somebody.start(["run", "local", job], { stdin: "What is a tide?\n" });
  await run.printed("to: What is a tide?\n");
  // neither the prompt nor the token can be read by others
  const listed = (await runCommand(["ps", "-eo", "args"])).stdout;
  assert(listed.includes(job), listed);
  assert(!listed.includes("a tide?") && !/eyJ[\w-]+\.eyJ/.test(listed), listed);
  await Deno.writeTextFile(`${somebody.home}/go`, "");
  // where stderr is no terminal nothing is said
  assertEquals(await run.outcome, {
    code: 0,
    stdout: "to: What is a tide?\nrest\n",
    stderr: "",
  });
});

Deno.test("run local - prompt file, arguments, set-up, environment, folder, events", async () => {
  await using somebody = await person();
  const job = await somebody.script('echo "$1 $WORD $SET $PWD"; cat');
  await Deno.writeTextFile(`${somebody.home}/q.txt`, "from a file");
  await Deno.mkdir(`${somebody.home}/work`);
  const { code, stdout, stderr } = await somebody.run([
    "run",
    "local",
    job,
    "--prompt-file",
    `${somebody.home}/q.txt`,
    "--env",
    "WORD=hello",
    "--setup",
    "export SET=up",
    "--workdir",
    `${somebody.home}/work`,
    "--events",
    "--",
    "--first",
  ]);
  assertEquals(code, 0, stderr);
  const events = stdout.trim().split("\n").map((line) => JSON.parse(line));
  const text = events.filter(({ type }) => type === "token").map(({ content }) => content).join("");
  assertEquals(text, `--first hello up ${somebody.home}/work\nfrom a file`);
  assertEquals(events.at(-1).type, "done");
  assert(events.some(({ type, state }) => type === "status" && state === "running"));
});

Deno.test("run local - a stream is encrypted unless that is switched off", async () => {
  await using somebody = await person();
  await Deno.writeTextFile(
    `${somebody.home}/config.json`,
    JSON.stringify({ profiles: { bare: { executor: "local", encryption: "off" } } }),
  );
  const env = { STREAMRELAY_CONFIG: `${somebody.home}/config.json` };
  const job = await somebody.script("echo hi");
  for (
    const [way, encryption] of [
      [["local"], "v2"],
      [["local", "--encryption", "off"], "off"],
      [["--profile", "bare"], "off"],
      [["--profile", "bare", "--encryption", "v2"], "v2"],
    ] as const
  ) {
    const [first, ...flags] = way;
    const words = first === "local" ? ["local", job, ...flags] : [job, first, ...flags];
    const { code, stdout, stderr } = await somebody.run(
      ["run", ...words, "--no-prompt", "--events"],
      { env },
    );
    assertEquals(code, 0, stderr);
    const [submitted] = stdout.split("\n").map((line) => line && JSON.parse(line));
    assertEquals([submitted.state, submitted.details.encryption], ["submitted", encryption]);
  }
});

Deno.test("run local - a failing job: its exit code, its stderr, our exit code", async () => {
  await using somebody = await person();
  const job = await somebody.script("echo some; echo no such model >&2; exit 3");
  const { code, stdout, stderr } = await somebody.run(["run", "local", job]);
  assertEquals([code, stdout], [12, "some\n"]);
  assertMatch(
    stderr,
    /^streamrelay: .*exit code 3.*\[job_failed\]\nstreamrelay: the end of the job's stderr:\n {2}\| no such model\n$/,
  );
});

Deno.test("run local - Ctrl-C cancels the job", async () => {
  await using somebody = await person();
  const job = await somebody.script('echo "$$" >pid; echo started; exec sleep 600');
  const run = somebody.start(["run", "local", job, "--no-prompt"]);
  await run.printed("started");
  run.kill("SIGINT");
  const { code, stderr } = await run.outcome;
  assertEquals(code, 130);
  assertMatch(stderr, /^streamrelay: Cancelling the job; once more to leave at once\n/);
  assertMatch(stderr, /Ctrl-C \[cancelled\]\n$/);
  const pid = (await Deno.readTextFile(`${somebody.home}/pid`)).trim();
  await until("the job has ended", async () => {
    const { stdout } = await runCommand(["ps", "-o", "stat=", "-p", pid]);
    return stdout.trim() === "" || stdout.startsWith("Z");
  });
});

Deno.test("run local - a reader that has gone ends the job without a complaint", async () => {
  await using somebody = await person();
  const relay = somebody.start(["serve", "--port", "0", "--lease-grace", "0"]);
  await relay.printed("\n");
  const job = await somebody.script("yes");
  const line =
    `deno run -A --quiet ${Deno.cwd()}/cli.ts run local ${job} --no-prompt | head -n 2; echo "\${PIPESTATUS[0]}"`;
  const { stdout, stderr } = await runCommand(["bash", "-c", line], {
    env: { XDG_STATE_HOME: `${somebody.home}/state` },
  });
  assertEquals([stdout, stderr], ["y\ny\n141\n", ""]);
  await until("the job has ended", async () => {
    const { stdout } = await somebody.run(["ls"]);
    return / (cancelled|job_failed) /.test(stdout);
  });
});

Deno.test("run local - another terminal sees it, and cancels it", async () => {
  await using somebody = await person();
  const job = await somebody.script("echo started; exec sleep 600");
  const run = somebody.start(["run", "local", job, "--no-prompt"]);
  await run.printed("started");
  const [, channel] = /^(\S+) +\d+ +local +running /m.exec((await somebody.run(["ls"])).stdout)!;
  assertEquals((await somebody.run(["cancel", channel, "--reason", "enough"])).code, 0);
  const { code, stderr } = await run.outcome;
  assertEquals(code, 130);
  assertMatch(stderr, /enough \[cancelled\]\n$/);
  // what was watched to its end is not listed
  assertEquals((await somebody.run(["ls"])).stdout, "");
});

Deno.test("run local - killed by SIGKILL, the job ends with it", async () => {
  await using somebody = await person();
  const relay = somebody.start(["serve", "--port", "0", "--lease-grace", "0"]);
  await relay.printed("\n");
  const job = await somebody.script('echo "$$" >pid; echo started; exec sleep 600');
  const run = somebody.start(["run", "local", job, "--no-prompt"]);
  await run.printed("started");
  run.kill("SIGKILL");
  await run.outcome;
  const pid = (await Deno.readTextFile(`${somebody.home}/pid`)).trim();
  await until("the job has ended", async () => {
    const { stdout } = await runCommand(["ps", "-o", "stat=", "-p", pid]);
    return stdout.trim() === "" || stdout.startsWith("Z");
  });
  await until("ls tells", async () => / cancelled /.test((await somebody.run(["ls"])).stdout));
});

Deno.test("run local - --detach leaves it; ls, logs and attach find it again", async () => {
  await using somebody = await person();
  const job = await somebody.script(
    'cat; while [ ! -e go ]; do sleep 0.02; done; echo " over"',
  );
  const left = await somebody.run(["run", "local", job, "--detach"], { stdin: "hello" });
  assertEquals(left.code, 0, left.stderr);
  const channel = left.stdout.trim();
  assertMatch(left.stderr, /^streamrelay: Submitted as \d+ \(local\); follow it with: .*logs /);

  const logs = somebody.start(["logs", channel.slice(0, 8)]);
  await logs.printed("hello");
  const { stdout } = await somebody.run(["ls"]);
  assertMatch(stdout, new RegExp(`^${channel} +\\d+ +local +running +\\S+ \\S+ +infer\\.sh$`, "m"));
  // leaving it again changes nothing
  logs.kill("SIGINT");
  assertEquals((await logs.outcome).code, 130);

  const attached = somebody.start(["attach", channel]);
  await attached.printed("hello");
  await Deno.writeTextFile(`${somebody.home}/go`, "");
  assertEquals(await attached.outcome, { code: 0, stdout: "hello over\n", stderr: "" });
  // and once more, after its end
  await until(
    "the job is done",
    async () => (await somebody.run(["ls"])).stdout.includes(" done "),
  );
  assertEquals((await somebody.run(["logs", channel])).stdout, "hello over\n");
  assertEquals((await somebody.run(["logs", channel, "--from", "99"])).code, 24);
});

Deno.test("run local - a detached job that fails tells why, and one can be cancelled", async () => {
  await using somebody = await person();
  const bad = await somebody.script("echo broken >&2; exit 9");
  const failed = (await somebody.run(["run", "local", bad, "--detach"])).stdout.trim();
  const told = await somebody.run(["logs", failed]);
  assertEquals(told.code, 12);
  assertStringIncludes(told.stderr, "| broken");

  const endless = await somebody.script("echo started; exec sleep 600");
  const channel = (await somebody.run(["run", "local", endless, "--detach"])).stdout.trim();
  const logs = somebody.start(["logs", channel]);
  await logs.printed("started");
  assertEquals((await somebody.run(["cancel", channel, "--reason", "enough"])).code, 0);
  const { code, stderr } = await logs.outcome;
  assertEquals(code, 130);
  assertMatch(stderr, /enough \[cancelled\]\n$/);
  await until("ls shows both ends", async () => {
    const { stdout } = await somebody.run(["ls"]);
    return / job_failed /.test(stdout) && / cancelled /.test(stdout);
  });
});

Deno.test("run - a profile of the configuration file; flags win", async () => {
  await using somebody = await person();
  const job = await somebody.script('echo "$WORD $OTHER"');
  await somebody.profiles({
    here: { executor: "local", env: { WORD: "profile", OTHER: "profile" } },
    far: { executor: "slurm", partition: "gpu" },
  });
  const here = ["run", job, "--profile", "here"];
  assertEquals((await somebody.run(here)).stdout, "profile profile\n");
  assertEquals((await somebody.run([...here, "--env", "WORD=flag"])).stdout, "flag profile\n");
  const env = { STREAMRELAY_PROFILE: "here" };
  assertEquals((await somebody.run(["run", job], { env })).stdout, "profile profile\n");
  const wrong = await somebody.run(["run", "local", job, "--profile", "far"]);
  assertEquals([wrong.code, wrong.stderr], [
    2,
    "streamrelay: Cannot use profile far with local: it is one of slurm\n",
  ]);
  await somebody.profiles({ here: { executor: "lsf" } });
  const bad = await somebody.run(here);
  assertEquals(bad.code, 2);
  assertMatch(
    bad.stderr,
    /^streamrelay: Cannot use \S+config\.json: profiles\.here\.executor: .*\n$/,
  );
});

Deno.test("run - bad input is told in one sentence, before anything is started", async () => {
  await using somebody = await person();
  const job = await somebody.script("true");
  const cases: [string[], number, RegExp][] = [
    [["run"], 2, /No script was given: expected run local\|slurm\|pbs\|ssh\|globus SCRIPT/],
    [["run", "slurm"], 2, /No script was given: expected run slurm SCRIPT/],
    [["run", "lsf", job], 2, /Unknown executor "lsf": expected local, slurm, pbs, ssh or globus/],
    [["run", job], 2, /Cannot tell where to run: expected run local, run slurm, /],
    [["run", "local", "/no/such.sh"], 2, /Cannot run \/no\/such\.sh: there is no such file/],
    [["run", "local", "/tmp"], 2, /Cannot run \/tmp: it is no file/],
    [
      ["run", "local", job, "--prompt-file", "/no"],
      2,
      /Cannot read --prompt-file \/no: there is no/,
    ],
    [["run", "local", job, "--partition", "gpu"], 2, /Cannot use --partition with run local/],
    [["run", "local", job, "--env", "X"], 2, /Cannot parse --env "X": expected NAME=VALUE/],
    [["run", "local", job, "--profile", "x"], 2, /Unknown profile "x"/],
    [
      ["run", "local", job, "--url", "ws://127.0.0.1:1"],
      21,
      /Cannot reach relay ws:\/\/127\.0\.0\.1:1/,
    ],
    [["run", "local", job, "--url", "nonsense"], 24, /Cannot use relay URL "nonsense"/],
    [["run", "local", job, "--detach", "--url", "ws://127.0.0.1:1"], 21, /Cannot reach relay/],
    [
      ["run", "slurm", job, "--ntasks", "x"],
      2,
      /Cannot parse --ntasks "x": expected a whole number/,
    ],
    [["run", "slurm", job, "--time", "soon"], 24, /Cannot use Slurm option time/],
    [["demo", "--model", "m"], 2, /--upstream and --model belong together/],
  ];
  for (const [args, exit, words] of cases) {
    const { code, stdout, stderr } = await somebody.run(args);
    assertEquals([code, stdout], [exit, ""], `${args.join(" ")}: ${stderr}`);
    assertMatch(stderr, words);
    assertEquals(stderr.trim().split("\n").length, 1, stderr);
  }
});

Deno.test("run - on a terminal a live line tells how it goes, and gives way to the text", async () => {
  await using somebody = await person();
  const job = await somebody.script("echo one; echo two");
  const { code, shown } = await onTerminal(somebody, `run local ${job} --no-prompt`);
  assertEquals(code, 0);
  const lines = shown.replaceAll("\r\n", "\n").split("\r\x1b[2K");
  assertMatch(lines[1], /^connecting · /);
  assert(lines.some((line) => /^submitted, job \d+ · /.test(line)), shown);
  assertMatch(
    lines.at(-1)!,
    /^one\ntwo\ndone after .* · first token after .* s · \d tokens?.*\n$/,
  );
  // only the text goes on when stdout is a file
  const file = `${somebody.home}/out`;
  const redirected = await onTerminal(somebody, `run local ${job} --no-prompt >${file}`);
  assertEquals(await Deno.readTextFile(file), "one\ntwo\n");
  assertMatch(redirected.shown.split("\x1b[2K").at(-1)!, /^done after .* tokens?/);
});

Deno.test("run - on a terminal it asks for the prompt", async () => {
  await using somebody = await person();
  const job = await somebody.script("tr a-z A-Z");
  const { code, shown } = await onTerminal(somebody, `run local ${job}`, "hello\n\x04");
  assertEquals(code, 0, shown);
  assertStringIncludes(shown, "Type the prompt, then Ctrl-D:");
  assertStringIncludes(shown, "HELLO");
});
