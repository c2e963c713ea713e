/** What a user sees of `channel new`, `produce`, `consume` and their tokens. @module */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { until } from "../tools/until.ts";
import { runCommand } from "./run_command.ts";
import { type Person, person } from "./command_line.ts";

/** Someone with a relay; it goes with them. */
async function withRelay(): Promise<Person & { url: string }> {
  const somebody = await person();
  const relay = somebody.start(["serve", "--port", "0", "--producer-grace", "0.2"]);
  const [url] = /ws:\S+\d/.exec(await relay.printed("\n"))!;
  return Object.assign(somebody, { url });
}

/** What `channel new --export` sets, as bash understands it. */
async function exported(text: string): Promise<Record<string, string>> {
  const { stdout } = await runCommand(["bash", "-c", 'eval "$1"; env -0', "bash", text]);
  return Object.fromEntries(
    stdout.split("\0").filter((line) => /^STREAMRELAY_(?!TEST_)/.test(line))
      .map((line) => line.split(/=(.*)/s).slice(0, 2)),
  );
}

/** Whether a process has ended, waited for or not. */
async function hasEnded(pid: string): Promise<boolean> {
  try {
    return / Z /.test(await Deno.readTextFile(`/proc/${pid}/stat`));
  } catch {
    return true;
  }
}

async function newChannel(somebody: Person, ...flags: string[]) {
  const { code, stdout, stderr } = await somebody.run(["channel", "new", "--export", ...flags]);
  assertEquals(code, 0, stderr);
  const env = await exported(stdout);
  return { env, channel: env.STREAMRELAY_CHANNEL };
}

Deno.test("channel - what a job pipes into produce comes out of consume", async () => {
  await using somebody = await withRelay();
  const { env, channel } = await newChannel(somebody);
  assertEquals(Object.keys(env).sort(), [
    "STREAMRELAY_CHANNEL",
    "STREAMRELAY_TOKEN",
    "STREAMRELAY_URL",
  ]);
  // the reader needs no token: the channel was made from here
  const reader = somebody.start(["consume", "--channel", channel]);
  const writer = somebody.start(["produce"], { env });
  await writer.write("first ");
  await reader.printed("first ");
  // a character in two halves
  await writer.write("gr");
  await writer.write("öße\n");
  await reader.printed("größe\n");
  await writer.end();
  assertEquals(await writer.outcome, { code: 0, stdout: "", stderr: "" });
  assertEquals(await reader.outcome, { code: 0, stdout: "first größe\n", stderr: "" });
});

Deno.test("channel - where one was exported, others can be made, and jobs run", async () => {
  await using somebody = await withRelay();
  const { env } = await newChannel(somebody);
  const another = await somebody.run(["channel", "new"], { env });
  assertEquals([another.code, another.stderr], [0, ""]);
  await Deno.writeTextFile(`${somebody.home}/job.sh`, "echo words");
  const job = await somebody.run(["run", "local", `${somebody.home}/job.sh`], { env });
  assertEquals(job, { code: 0, stdout: "words\n", stderr: "" });
  // somebody else's channel on this relay
  const wrong = await somebody.run(["channel", "new"], {
    env: { ...env, STREAMRELAY_CHANNEL: "another" },
  });
  assertEquals(
    [wrong.code, wrong.stderr],
    [20, "streamrelay: The token allows produce, expected create [forbidden]\n"],
  );
});

Deno.test("channel - another machine reads with a token; --events, --from, --resume", async () => {
  await using somebody = await withRelay();
  const { env, channel } = await newChannel(somebody, "--id", "run-7", "--ttl", "1h");
  assertEquals(channel, "run-7");
  const sent = await somebody.run(["produce", "--", "printf", "one"], { env });
  assertEquals(sent.code, 0, sent.stderr);
  const token = (await somebody.run(
    ["token", "--channel", channel, "--role", "consume", "--expires", "1h"],
  )).stdout.trim();

  await using other = await person();
  await Deno.writeTextFile(`${other.home}/token`, token, { mode: 0o600 });
  const consume = [
    "consume",
    "--url",
    somebody.url,
    "--channel",
    channel,
    "--token-file",
    `${other.home}/token`,
  ];
  assertEquals(await other.run(consume), { code: 0, stdout: "one", stderr: "" });
  const { stdout } = await other.run([...consume, "--events"]);
  const events = stdout.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(events.map(({ type }) => type), ["token", "done"]);
  assertEquals(events[0], { type: "token", content: "one" });
  assertEquals((await other.run([...consume, "--from", "1"])).stdout, "");
  const beyond = await other.run([...consume, "--from", "9"]);
  assertEquals([beyond.code, beyond.stdout], [24, ""]);
  assertMatch(beyond.stderr, /^streamrelay: .*\[bad_offset\]\n$/);
  // what may only read may not write
  const write = await other.run(["produce", ...consume.slice(1)], { stdin: "x" });
  assertEquals(write.code, 20);
  assertMatch(write.stderr, /The token allows consume, expected produce \[forbidden\]/);
});

Deno.test("channel - Ctrl-C leaves, and tells where to go on", async () => {
  await using somebody = await withRelay();
  const { env, channel } = await newChannel(somebody);
  const writer = somebody.start(["produce"], { env });
  await writer.write("one ");
  const reader = somebody.start(["consume", "--channel", channel]);
  await reader.printed("one ");
  reader.kill("SIGINT");
  const { code, stderr } = await reader.outcome;
  assertEquals(code, 130);
  const [, resume] = /Left; go on with --resume (\S+)\n/.exec(stderr)!;
  await writer.write("two");
  await writer.end();
  await writer.outcome;
  assertEquals((await somebody.run(["consume", "--resume", resume])).stdout, "two");
});

Deno.test("channel - a program's exit code, signal and stderr reach the reader", async () => {
  await using somebody = await withRelay();
  const failing = await newChannel(somebody);
  const produced = await somebody.run(
    ["produce", "--", "bash", "-c", "echo text; echo what went wrong >&2; exit 7"],
    { env: failing.env },
  );
  assertEquals([produced.code, produced.stderr], [7, "what went wrong\n"]);
  assertEquals(await somebody.run(["consume", "--channel", failing.channel]), {
    code: 12,
    stdout: "text\n",
    stderr:
      "streamrelay: bash ended with exit code 7 [job_failed]\nstreamrelay: the end of the job's stderr:\n  | what went wrong\n",
  });

  const killed = await newChannel(somebody);
  const signal = await somebody.run(
    ["produce", "--", "bash", "-c", "kill -9 $$"],
    { env: killed.env },
  );
  assertEquals(signal.code, 137);
  const told = await somebody.run(["consume", "--channel", killed.channel]);
  assertMatch(told.stderr, /^streamrelay: bash was ended by SIGKILL \[job_failed\]\n/);

  const missing = await newChannel(somebody);
  const none = await somebody.run(["produce", "--", "no-such-program"], { env: missing.env });
  assertEquals([none.code, none.stderr], [
    2,
    "streamrelay: Cannot run no-such-program: there is no such program\n",
  ]);
  assertEquals((await somebody.run(["consume", "--channel", missing.channel])).code, 12);
});

Deno.test("channel - the program sees no credentials, and its stdout is not held back", async () => {
  await using somebody = await withRelay();
  const { env, channel } = await newChannel(somebody);
  const { code } = await somebody.run(
    ["produce", "--", "bash", "-c", 'env | grep -c "STREAMRELAY_\\|RELAY_"; true'],
    { env: { ...env, RELAY_SECRET: "x" } },
  );
  assertEquals(code, 0);
  assertEquals((await somebody.run(["consume", "--channel", channel])).stdout, "0\n");
});

Deno.test("channel - cancel ends the program, all of its group", async () => {
  await using somebody = await withRelay();
  const { env, channel } = await newChannel(somebody);
  const pids = `${somebody.home}/pids`;
  const writer = somebody.start(
    ["produce", "--", "bash", "-c", `sleep 600 & echo $! >${pids}; echo started; wait`],
    { env },
  );
  const reader = somebody.start(["consume", "--channel", channel]);
  await reader.printed("started");
  const cancelled = await somebody.run(["cancel", channel, "--reason", "too long"]);
  assertEquals(cancelled.code, 0, cancelled.stderr);
  const [wrote, read] = await Promise.all([writer.outcome, reader.outcome]);
  assertEquals([wrote.code, read.code], [130, 130]);
  assertMatch(read.stderr, /^streamrelay: .*too long \[cancelled\]\n$/);
  const pid = (await Deno.readTextFile(pids)).trim();
  await until("the program's child has ended", () => hasEnded(pid));
  const again = await somebody.run(["cancel", channel]);
  assertEquals([again.code, again.stderr], [
    2,
    `streamrelay: Cannot cancel ${channel}: it has ended already (cancelled)\n`,
  ]);
});

Deno.test("channel - a key encrypts, and without it the reader is told", async () => {
  await using somebody = await withRelay();
  const key = `${somebody.home}/stream.key`;
  assertEquals((await somebody.run(["keygen", "--out", key])).stdout, "");
  assertEquals((await Deno.stat(key)).mode! & 0o777, 0o600);
  assertMatch((await somebody.run(["keygen"])).stdout, /^[0-9a-f]{64}\n$/);
  const nowhere = await somebody.run(["keygen", "--out", "/nowhere/stream.key"]);
  assertEquals(nowhere.code, 2);
  assertMatch(
    nowhere.stderr,
    /: Cannot write --out \/nowhere\/stream.key: No such file or directory\n$/,
  );
  const { env, channel } = await newChannel(somebody);
  const sent = await somebody.run(["produce", "--key-file", key], { env, stdin: "private" });
  assertEquals(sent.code, 0, sent.stderr);
  const keyed = ["consume", "--channel", channel, "--key-file", key];
  assertEquals(await somebody.run(keyed), { code: 0, stdout: "private", stderr: "" });
  // the Python package's variable means the Python package's encryption
  const old = await newChannel(somebody, "--keyed");
  const hex = (await Deno.readTextFile(key)).trim();
  const python = { ...old.env, RELAY_ENCRYPTION_KEY: hex };
  assertEquals((await somebody.run(["produce"], { env: python, stdin: "old" })).code, 0);
  const v1 = ["consume", "--channel", old.channel, "--key-file", key, "--encryption", "v1"];
  assertEquals((await somebody.run(v1)).stdout, "old");
  const blind = await somebody.run(["consume", "--channel", channel]);
  assertEquals([blind.code, blind.stdout], [26, ""]);
  assertMatch(blind.stderr, /\[decrypt_failed\]\n$/);
});

Deno.test("channel - bad input is told in one sentence", async () => {
  await using somebody = await withRelay();
  await using other = await person();
  const relay = ["--url", somebody.url];
  const cases: [string[], number, RegExp][] = [
    [["consume"], 2, /No channel was given: expected --channel ID or STREAMRELAY_CHANNEL/],
    [["consume", "--channel", "c"], 2, /No relay was given and none of yours runs here/],
    [["consume", "--url", "localhost:1", "--channel", "c"], 24, /did you mean ws:\/\/localhost:1/],
    [["consume", ...relay, "--channel", "a/b"], 24, /Cannot use channel id "a\/b"/],
    [["consume", ...relay, "--channel", "c", "--token", "no"], 20, /\[unauthorized\]/],
    [["consume", "--resume", "nonsense"], 24, /Cannot .*resume token/],
    [["consume", ...relay, "--channel", "c", "--from", "-1"], 2, /Unknown flag -1 of consume/],
    [["consume", ...relay, "--channel", "c", "--key", "short"], 24, /key/],
    [["consume", ...relay, "--channel", "c", "extra"], 2, /Unexpected argument "extra"/],
    [
      ["produce", "--url", "ws://127.0.0.1:1", "--channel", "c", "--give-up", "0"],
      21,
      /Cannot reach/,
    ],
    [["channel", "new", ...relay, "--token", "no"], 20, /The credential is wrong/],
    [["token", "--channel", "c"], 2, /No role was given: expected --role with create/],
    [["token", "--channel", "c", "--role", "king"], 2, /Unknown role "king": expected --role/],
    [["token", "--role", "create"], 2, /expected --channel ID or --prefix PREFIX/],
    [["producer"], 2, /No producer was named: expected python or curl/],
    [["producer", "ruby"], 2, /Unknown producer "ruby": expected python or curl/],
    [["logs"], 2, /No job was given: expected an id, as ls shows/],
    [["logs", "nope"], 2, /Unknown job "nope": expected an id, as ls shows/],
  ];
  for (const [args, exit, words] of cases) {
    const { code, stdout, stderr } = await other.run(args);
    assertEquals([code, stdout], [exit, ""], `${args.join(" ")}: ${stderr}`);
    assertMatch(stderr, words);
    const sentences = stderr.trim().split("\n").filter((line) => !line.includes("Warning"));
    assertEquals(sentences.length, 1, stderr);
  }
});

Deno.test("channel - producers for machines without Deno are printed, and work", async () => {
  await using somebody = await withRelay();
  const { env, channel } = await newChannel(somebody);
  const python = await somebody.run(["producer", "python"]);
  assertMatch(python.stdout, /^#!.*python3/);
  const shell = await somebody.run(["producer", "curl"]);
  assertMatch(shell.stdout, /^#!\/bin\/bash\n/);
  const path = `${somebody.home}/producer.sh`;
  await Deno.writeTextFile(path, shell.stdout);
  const { code, stderr } = await runCommand(
    ["bash", path, "run", "--", "echo", "by curl"],
    { env, stdin: "" },
  );
  assertEquals(code, 0, stderr);
  assertEquals((await somebody.run(["consume", "--channel", channel])).stdout, "by curl\n");
});

Deno.test("channel - ls lists what was made here, and shows no token", async () => {
  await using somebody = await withRelay();
  assertEquals((await somebody.run(["ls"])).stdout, "");
  const { env, channel } = await newChannel(somebody);
  const state = async () => JSON.parse((await somebody.run(["ls", "--json"])).stdout.trim()).state;
  assertEquals(await state(), "new");
  await somebody.run(["produce"], { env, stdin: "x" });
  assertEquals(await state(), "done");
  const { stdout } = await somebody.run(["ls"]);
  assertStringIncludes(stdout, channel);
  assert(!stdout.includes(env.STREAMRELAY_TOKEN));
  assert(!(await somebody.run(["ls", "--json"])).stdout.includes(env.STREAMRELAY_TOKEN));
});
