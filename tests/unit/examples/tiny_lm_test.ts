/**
 * The example model as its users meet it: a program with stdin, stdout, stderr
 * and an exit code.
 *
 * @module
 */

import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { answered, chunk, openAiStandIn } from "./openai_stand_in.ts";

const PROGRAM = new URL("../../../examples/tiny_lm.ts", import.meta.url);
const SCRIPT = new URL("../../../examples/infer.sh", import.meta.url);

interface Run {
  prompt?: string;
  env?: Record<string, string>;
}

function start(
  args: string[],
  { prompt = "", env = {} }: Run = {},
): Deno.ChildProcess {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", PROGRAM.href, ...args],
    env: {
      OPENAI_API_KEY: "",
      STREAMRELAY_PROMPT_FILE: "",
      NO_PROXY: "127.0.0.1",
      ...env,
    },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  // A program that refuses its arguments ends without reading its stdin.
  ReadableStream.from([new TextEncoder().encode(prompt)]).pipeTo(child.stdin)
    .catch(() => {});
  return child;
}

async function run(args: string[], options?: Run) {
  const { code, stdout, stderr } = await start(args, options).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

const QUICK = ["--delay-ms", "0", "--tokens", "40"];

Deno.test("tiny_lm - the same seed and prompt give the same text", async () => {
  const args = [...QUICK, "--seed", "7"];
  const [first, second] = await Promise.all([
    run(args, { prompt: "rivers" }),
    run(args, { prompt: "rivers" }),
  ]);
  assertEquals(first.code, 0, first.stderr);
  assertEquals(first.stdout, second.stdout);
  assert(first.stdout.split(/\s+/).length > 20, first.stdout);
});

Deno.test("tiny_lm - another seed gives another text", async () => {
  const one = await run([...QUICK, "--seed", "1"], { prompt: "rivers" });
  const two = await run([...QUICK, "--seed", "2"], { prompt: "rivers" });
  assertNotEquals(one.stdout, two.stdout);
});

Deno.test("tiny_lm - the first sentence is about the prompt", async () => {
  for (const word of ["saturn", "yeast", "barometer"]) {
    const prompt = `Please tell me what you know about ${word}.`;
    const { stdout } = await run([...QUICK, "--seed", "7"], { prompt });
    assertStringIncludes(stdout.split(/[.!?]/)[0].toLowerCase(), word);
  }
});

Deno.test("tiny_lm - stops at the end of a sentence", async () => {
  const { stdout } = await run([
    "--delay-ms",
    "0",
    "--tokens",
    "1",
    "--seed",
    "3",
  ]);
  assert(/^[^.!?]+[.!?]\n$/.test(stdout), stdout);
});

Deno.test("tiny_lm - prints a token before the next one is due", async () => {
  // The second token is due in an hour: what is read first was not held back.
  const child = start(["--delay-ms", "3600000"], { prompt: "ships" });
  const reader = child.stdout.getReader();
  const { value, done } = await reader.read();
  child.kill("SIGKILL");
  assert(!done && value.length > 0);
  assert(
    !new TextDecoder().decode(value).includes(" "),
    "more than one token came",
  );
  reader.releaseLock();
  await Promise.all([
    child.stdout.cancel(),
    child.stderr.cancel(),
    child.status,
  ]);
});

Deno.test("tiny_lm - an empty stdin falls back to the prompt file", async () => {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, "bread\n");
    const args = [...QUICK, "--seed", "7"];
    const fromStdin = await run(args, { prompt: "bread" });
    const fromFile = await run(args, {
      env: { STREAMRELAY_PROMPT_FILE: file },
    });
    assertEquals(fromFile.stdout, fromStdin.stdout);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("tiny_lm - says what it is, and what it cannot parse", async () => {
  const help = await run(["--help"]);
  assertEquals(help.code, 0);
  assertStringIncludes(help.stdout, "not a neural network");
  for (
    const [args, reason] of [
      [["--tokens", "many"], 'Cannot parse --tokens "many"'],
      [["--upstream", "http://127.0.0.1:1/v1"], "belong together"],
      [
        ["--upstream", "http://me:secret@h/v1", "--model", "m"],
        "OPENAI_API_KEY",
      ],
      [["--no-such-flag"], "--no-such-flag"],
    ] as const
  ) {
    const { code, stdout, stderr } = await run([...args]);
    assertEquals([code, stdout], [2, ""]);
    assertStringIncludes(stderr, reason);
    assert(!stderr.includes("secret"));
  }
});

Deno.test({
  name: "infer.sh - runs by hand from any folder",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const child = new Deno.Command("bash", {
      args: [SCRIPT.pathname, ...QUICK],
      env: {
        PATH: `${Deno.execPath().replace(/\/[^/]*$/, "")}:${Deno.env.get("PATH")}`,
      },
      cwd: "/",
      stdin: "null",
      stdout: "piped",
    }).spawn();
    const { code, stdout } = await child.output();
    assertEquals(code, 0);
    assert(stdout.length > 50);
  },
});

const upstream = (url: string) => ["--upstream", url, "--model", "m"];

Deno.test("tiny_lm upstream - text survives being sliced byte by byte", async () => {
  for (const newline of ["\n", "\r\n", "\r"]) {
    await using server = openAiStandIn(
      [
        ": a comment\n\n",
        chunk({ role: "assistant", content: "" }),
        chunk({ reasoning_content: "thinking " }),
        chunk({ content: "Grüße, " }),
        "event: message\nid: 3\n" + chunk({ content: "世界 " }),
        chunk({ content: "🌍" }),
        chunk({}, "length"),
        'data: {"choices":[],"usage":{"completion_tokens":3}}\n\n',
        "data: [DONE]\n\n",
      ].join("").replaceAll("\n", newline),
    );
    const prompt = "Wie geht’s?\n";
    const env = { OPENAI_API_KEY: "sk-of-the-test" };
    const plain = await run(upstream(server.url), { prompt, env });
    assertEquals(plain, { code: 0, stdout: "Grüße, 世界 🌍\n", stderr: "" });
    const thought = await run([...upstream(server.url), "--reasoning"], {
      prompt,
    });
    assertEquals(thought.stdout, "thinking Grüße, 世界 🌍\n");

    const [first, second] = server.requests;
    assertEquals(first.path, "/v1/chat/completions");
    assertEquals(first.authorization, "Bearer sk-of-the-test");
    assertEquals(second.authorization, null);
    assertEquals(first.body, {
      model: "m",
      messages: [{ role: "user", content: "Wie geht’s?" }],
      stream: true,
    });
  }
});

Deno.test("tiny_lm upstream - a delta is printed before the next one is sent", async () => {
  const seen = Promise.withResolvers<void>();
  await using server = openAiStandIn(async function* () {
    yield chunk({ content: "first" });
    await seen.promise;
    yield answered(" second");
  });
  const child = start(upstream(server.url), { prompt: "go" });
  let text = "";
  for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += part;
    if (text === "first") seen.resolve();
  }
  assertEquals(text, "first second\n");
  await child.stderr.cancel();
  assertEquals((await child.status).code, 0);
});

Deno.test("tiny_lm upstream - what is not a whole answer is a failure", async (t) => {
  const half = chunk({ content: "Half" });
  const cases: [name: string, sse: string, stdout: string, reason: string][] = [
    [
      "error chunk",
      half +
      'data: {"error":{"message":"CUDA out of\\nmemory","code":500}}\n\n',
      "Half",
      "CUDA out of memory",
    ],
    [
      "error as text",
      'data: {"error":"model not loaded"}\n\n',
      "",
      "model not loaded",
    ],
    [
      "error after the finish",
      answered("A", "") + 'data: {"error":"late"}\n\n',
      "A",
      "late",
    ],
    ["no finish_reason", half + "data: [DONE]\n\n", "Half", "finish_reason"],
    ["end of the stream", half, "Half", "finish_reason"],
    ["cut inside a chunk", half + 'data: {"choi', "Half", "not JSON"],
    ["nothing at all", "", "", "finish_reason"],
  ];
  for (const [name, sse, stdout, reason] of cases) {
    await t.step(name, async () => {
      await using server = openAiStandIn(sse);
      const ran = await run(upstream(server.url), { prompt: "go" });
      assertEquals([ran.code, ran.stdout], [1, stdout]);
      assertStringIncludes(ran.stderr, reason);
      assertEquals(
        ran.stderr.trimEnd().split("\n").length,
        1,
        "one sentence, one line",
      );
    });
  }
});

Deno.test("tiny_lm upstream - a last event without its blank line counts", async () => {
  await using server = openAiStandIn(answered("whole", "data: [DONE]"));
  const ran = await run(upstream(server.url), { prompt: "go" });
  assertEquals([ran.code, ran.stdout], [0, "whole\n"]);
});

Deno.test("tiny_lm upstream - a refusal is told without the key", async () => {
  await using server = openAiStandIn(() =>
    Response.json({ error: { message: "Bad key sk-123456" } }, { status: 401 })
  );
  const env = { OPENAI_API_KEY: "sk-123456" };
  const ran = await run(upstream(server.url), { prompt: "go", env });
  assertEquals([ran.code, ran.stdout], [1, ""]);
  assertEquals(ran.stderr, "tiny_lm: The server answered 401: Bad key [key]\n");
});

Deno.test("tiny_lm upstream - a server that does not stream is told apart", async () => {
  await using server = openAiStandIn(() => Response.json({ choices: [] }));
  const ran = await run(upstream(server.url), { prompt: "go" });
  assertEquals(ran.code, 1);
  assertStringIncludes(ran.stderr, "sent no stream");
});

Deno.test("tiny_lm upstream - nobody there", async () => {
  const server = openAiStandIn("");
  await server[Symbol.asyncDispose]();
  const ran = await run(upstream(server.url), { prompt: "go" });
  assertEquals([ran.code, ran.stdout], [1, ""]);
  assertStringIncludes(ran.stderr, `Cannot reach ${server.url}`);
});
