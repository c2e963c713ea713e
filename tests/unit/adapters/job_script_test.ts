/** The job script as a node runs it, with bash in the scheduler's place. @module */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { buildJobScript, PRODUCER_ORDER, WRAPPER_EXITS } from "../../../adapters/job/job_script.ts";
import { StreamError } from "../../../stream/mod.ts";
import { openChannel } from "./producers/open_channel.ts";

import { failure, run, specFor, start, timings, use } from "./run_job_script.ts";

Deno.test("job script - the input is on stdin and in a file that only its owner can read", async () => {
  await using open = await openChannel();
  await open.control.putInput(open.channel.id, "a prompt\nwith 'quotes' €");
  const { stdout } = await run(open, {
    hasInput: true,
    program: {
      text: 'cat; echo; stat -c %a "$STREAMRELAY_PROMPT_FILE"; cat "$STREAMRELAY_PROMPT_FILE"',
    },
  });
  const prompt = "a prompt\nwith 'quotes' €";
  assertEquals(stdout, `${prompt}\n600\n${prompt}`);
});

Deno.test("job script - without an input stdin is empty", async () => {
  await using open = await openChannel();
  const { stdout } = await run(open, {
    program: { text: "cat; echo ${STREAMRELAY_PROMPT_FILE-none}" },
  });
  assertEquals(stdout, "none\n");
});

Deno.test("job script - an input that can't be had ends the job before the program", async () => {
  await using open = await openChannel();
  const { code, stdout, stderr } = await run(open, { hasInput: true });
  assertEquals({ code, stdout }, { code: WRAPPER_EXITS.noInput, stdout: "" });
  assertStringIncludes(stderr, "holds no input");
});

Deno.test("job script - set-up lines run in the shell before the program", async () => {
  await using open = await openChannel();
  const { stdout, code } = await run(open, {
    setup: [
      "greet() { export WORD=$1; }",
      "greet 'hi there'",
      "set -eu -o pipefail",
      "false || true",
    ],
    program: { text: 'echo "$WORD"' },
  });
  assertEquals({ stdout, code }, { stdout: "hi there\n", code: 0 });
});

for (
  const [line, expected] of [["ls /nowhere/at/all", 2], ["nonsense-command", 127], [
    "exit 5",
    5,
  ]] as const
) {
  Deno.test(`job script - set-up fails with ${line}: the stream says why`, async () => {
    await using open = await openChannel();
    const { code, stdout, stderr } = await run(open, { setup: ["true", line] });
    assertEquals({ code, stdout }, { code: expected, stdout: "" });
    assertStringIncludes(stderr, "setup line");
    const { details, message } = await failure(open);
    assertEquals(details?.exitCode, expected);
    assertStringIncludes(message, "setup line");
    if (line !== "exit 5") {
      assertStringIncludes(String(details?.stderr), line.split(" ").at(-1)!);
    }
  });
}

Deno.test("job script - set-up notices a module that fails without saying so in its exit code", async () => {
  await using open = await openChannel();
  const setup = [
    "module() { echo \"ModuleCmd_Load.c(213):ERROR:105: no '$2'\" >&2; }",
    "module load nope",
  ];
  assertEquals((await run(open, { setup })).code, 1);
  assertStringIncludes(String((await failure(open)).details?.stderr), "ERROR:105: no 'nope'");
});

Deno.test("job script - a working directory that isn't there is named", async () => {
  await using open = await openChannel();
  assertEquals((await run(open, { workdir: "/nowhere/at all" })).code, 1);
  assertStringIncludes((await failure(open)).message, "/nowhere/at all");
});

Deno.test("job script - values and arguments arrive exactly", async () => {
  await using open = await openChannel();
  const odd = [
    "it's",
    'a "b"',
    "line 1\nline 2\r\n",
    "$HOME `id` \\ *",
    "",
    "é€𝄞",
    "-n",
    "a\tb\x1b[0m",
  ];
  const program = 'for x in "$@" "$ODD"; do printf "%s|" "$x"; done';
  const { stdout } = await run(open, {
    args: odd,
    env: { ODD: odd.join("") },
    program: { text: program },
  });
  assertEquals(stdout, [...odd, odd.join("")].map((text) => `${text}|`).join(""));
  assertEquals(open.received(), stdout);
});

for (
  const [name, text, expected] of [
    ["no final line break", "printf x", "x"],
    ["an interpreter of its own", '#!/usr/bin/env -S awk -f\nBEGIN { print "awk" }', "awk\n"],
    ["CR LF line ends", "#!/bin/bash -e\r\necho a\r\necho b\r\n", "a\nb\n"],
    [
      "the wrapper's own heredoc delimiter",
      "cat <<STREAMRELAY_PROGRAM\nin\nSTREAMRELAY_PROGRAM\n",
      "in\n",
    ],
    ["another heredoc, quotes and $", "cat <<'EOF'\n$x `y` \\ 'z'\nEOF\n", "$x `y` \\ 'z'\n"],
    ["nothing at all", "", ""],
  ]
) {
  Deno.test(`job script - the user's script: ${name}`, async () => {
    await using open = await openChannel();
    const { code, stdout, stderr } = await run(open, { program: { text } });
    assertEquals({ code, stdout, stderr }, { code: 0, stdout: expected, stderr: "" });
    assertEquals((await open.events).at(-1)?.type, "done");
  });
}

Deno.test("job script - the script carries no CR LF, which sbatch refuses", async () => {
  await using open = await openChannel();
  const script = buildJobScript(
    specFor(open, { program: { text: "a\r\nb\r" }, env: { X: "1\r\n2" }, setup: ["x\r\n"] }),
  );
  assert(!script.includes("\r"));
});

Deno.test("job script - a program that is there already, by a name with spaces and quotes", async () => {
  await using open = await openChannel();
  const folder = await Deno.makeTempDir();
  const remote = `${folder}/my "odd" it's.sh`;
  await Deno.writeTextFile(remote, '#!/bin/bash\necho "$PWD $1"');
  for (const mode of [0o600, 0o700]) {
    await Deno.chmod(remote, mode);
    const own = await openChannel();
    const { stdout } = await run(own, { program: { remote }, workdir: folder, args: ["a b"] });
    assertEquals(stdout, `${await Deno.realPath(folder)} a b\n`);
    await own[Symbol.asyncDispose]();
  }
  assertEquals((await run(open, { program: { remote: `${folder}/none` } })).code, 127);
  assertStringIncludes((await failure(open)).message, "none isn't there");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("job script - the program sees neither token nor the submitter's secrets", async () => {
  await using open = await openChannel();
  const { token } = { token: open.channel.tokens.produce };
  const { stdout } = await run(open, {
    program: { text: "env; ps -ef 2>/dev/null" },
    setup: ["env | grep -c TOKEN || true"],
  }, {
    STREAMRELAY_TOKEN: "submitter-token",
    RELAY_SECRET: "submitter-secret",
  });
  assert(!stdout.includes(token) && !stdout.includes("submitter-"));
  assertStringIncludes(stdout, `STREAMRELAY_CHANNEL=${open.channel.id}`);
  assert(stdout.startsWith("0\n"));
});

Deno.test("job script - credentials from a file, which goes with a final exit only", async () => {
  const path = await Deno.makeTempFile();
  for (
    const [text, stays, env] of [
      ["kill -9 $$", true, {}],
      // a site may have Slurm requeue jobs that end with certain exit codes
      ["exit 3", true, { SLURM_JOB_ID: "7" }],
      ["exit 3", false, {}],
    ] as const
  ) {
    await using open = await openChannel();
    await Deno.writeTextFile(path, `export STREAMRELAY_TOKEN='${open.channel.tokens.produce}'\n`, {
      mode: 0o600,
    });
    const credentials = { kind: "file" as const, path };
    const script = buildJobScript(specFor(open, { credentials, program: { text } }));
    assert(!script.includes(open.channel.tokens.produce));
    await (await start(script, env)).ended;
    assertEquals((await failure(open)).code, "job_failed");
    assertEquals(await Deno.stat(path).then(() => true, () => false), stays);
  }
  await using open = await openChannel();
  const { code, stderr } = await run(open, { credentials: { kind: "file", path } });
  assertEquals(code, WRAPPER_EXITS.noCredentials);
  assertStringIncludes(stderr, path);
});

Deno.test("job script - no producer at all: exit 86, and the words say what was looked for", async () => {
  await using open = await openChannel();
  const { code, stdout, stderr } = await run(open, {
    producer: { use: ["streamrelay-producer"], path: "/none" },
  });
  assertEquals({ code, stdout }, { code: WRAPPER_EXITS.noProducer, stdout: "" });
  assertStringIncludes(stderr, "there is no producer /none on ");
  assertStringIncludes(stderr, "looked for streamrelay-producer");
});

Deno.test("job script - a compiled producer: the given path first, then PATH", async () => {
  const folder = await Deno.makeTempDir();
  const bundle = new URL("../../../adapters/producers/streamrelay-producer.js", import.meta.url);
  const install = async (name: string) => {
    const text =
      `#!/bin/bash\necho ${name} >>'${folder}/used'\nexec '${Deno.execPath()}' run -A '${bundle.pathname}' "$@"\n`;
    await Deno.writeTextFile(`${folder}/${name}`, text, { mode: 0o700 });
  };
  await install("streamrelay-producer");
  await install("given");
  for (
    const [producer, used] of [
      [{ path: `${folder}/given` }, "given"],
      [{}, "streamrelay-producer"],
    ] as const
  ) {
    await using open = await openChannel();
    const { code } = await run(open, { producer }, { PATH: `${folder}:${Deno.env.get("PATH")}` });
    assertEquals(code, 0);
    assertEquals((await open.events).at(-1)?.type, "done");
    const names = (await Deno.readTextFile(`${folder}/used`)).trim().split("\n");
    assertEquals([...new Set(names)], [used]);
    await Deno.remove(`${folder}/used`);
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("job script - a relay that can't be reached: the program still runs to its end", async () => {
  await using open = await openChannel();
  open.proxy.refuse();
  const { code, stdout, stderr } = await run(open, { timings: { ...timings, giveUp: 0 } });
  assertEquals({ code, stdout }, { code: 0, stdout: "hello\n" });
  assertStringIncludes(stderr, "may lack some of the stream");
});

Deno.test("job script - a producer that dies doesn't harm the program", async () => {
  await using open = await openChannel();
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(
    path,
    '#!/bin/bash\n[ "$1" = pipe ] && { head -c 1 >/dev/null; exit 9; }\nexit 0',
  );
  await Deno.chmod(path, 0o700);
  const { code, stdout, stderr } = await run(open, {
    producer: { path, use: [] },
    program: { text: "seq 100000" },
  });
  assertEquals(code, 0);
  assertEquals(stdout.split("\n").length, 100001);
  assertStringIncludes(stderr, "may lack some of the stream");
  await Deno.remove(path);
});

Deno.test("job script - a background child that holds the output open doesn't hold the job", async () => {
  await using open = await openChannel();
  const { code } = await run(open, { program: { text: "trap '' TERM HUP; sleep 5 & echo main" } });
  assertEquals(code, 0);
  assertEquals((await open.events).at(-1)?.type, "done");
  assertEquals(open.received(), "main\n");
});

Deno.test("job script - a script that speaks to the relay itself keeps the token", async () => {
  await using open = await openChannel();
  const { code } = await run(open, {
    producer: { use, script: true },
    program: {
      text:
        '[ "$RELAY_SECRET" = "$STREAMRELAY_TOKEN" ] && echo "$RELAY_URL $CHANNEL_ID" >&2; exit 4',
    },
  });
  assertEquals(code, 4);
  const { details } = await failure(open);
  assertEquals(details?.exitCode, 4);
  assertEquals(details?.stderr, `${open.url} ${open.channel.id}\n`);
});

Deno.test("job script - 100,000 lines arrive whole in both places", async () => {
  await using open = await openChannel();
  const { code, stdout } = await run(open, { program: { text: "seq 100000" } });
  assertEquals(code, 0);
  assertEquals((await open.events).at(-1)?.type, "done");
  assert(open.received() === stdout && stdout.split("\n").length === 100001);
});

for (const kind of PRODUCER_ORDER.slice(2)) {
  const missing = kind === "node" && !Deno.env.get("STREAMRELAY_TEST_NODE22");
  Deno.test({ name: `job script - by ${kind}`, ignore: missing }, async () => {
    await using open = await openChannel();
    await open.control.putInput(open.channel.id, "the input");
    const node = Deno.env.get("STREAMRELAY_TEST_NODE22")?.replace(/\/node$/, ":") ?? "";
    const { code, stdout, stderr } = await run(open, {
      hasInput: true,
      producer: { use: [kind] },
      program: { text: "cat; exit 3" },
    }, { PATH: `${node}${Deno.env.get("PATH")}` });
    assertEquals({ code, stdout, stderr }, { code: 3, stdout: "the input", stderr: "" });
    assertEquals((await failure(open)).details?.exitCode, 3);
    assertEquals(open.received(), "the input");
  });
}

Deno.test("job script - what can't be carried is refused in a sentence", async () => {
  await using open = await openChannel();
  for (
    const [more, words] of [
      [{ program: { text: "a\0b" } }, "NUL"],
      [{ env: { X: "\0" } }, "NUL"],
      [{ env: { "A-B": "1" } }, "A-B"],
      [{ directives: ["#SBATCH -n 1\nrm -rf x"] }, "one line"],
    ] as const
  ) {
    const error = assertThrows(
      () =>
        buildJobScript(
          specFor(open, {
            ...more,
            directives: [...("directives" in more ? more.directives : [])],
          }),
        ),
      StreamError,
    );
    assertEquals(error.code, "bad_request");
    assertStringIncludes(error.message, words);
  }
});
