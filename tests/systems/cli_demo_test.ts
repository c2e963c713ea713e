/** What a user sees of `demo` on a machine without Slurm. @module */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { answered, openAiStandIn } from "../unit/examples/openai_stand_in.ts";
import { person } from "./command_line.ts";

Deno.test("demo - says what it is, and answers", async () => {
  await using somebody = await person();
  const demo = ["demo", "What is a tide?", "--executor", "local", "--seed", "7", "--tokens", "10"];
  const first = await somebody.run(demo);
  assertEquals(first.code, 0, first.stderr);
  assertMatch(first.stdout, /^\w[^\n]* [^\n]*\.\n$/);
  assertStringIncludes(first.stderr, "a small n-gram model");
  assertStringIncludes(first.stderr, "no neural network");
  assertMatch(first.stderr, /runs on this machine, and its words go through a relay at ws:/);
  assertEquals((await somebody.run(demo)).stdout, first.stdout);
});

Deno.test("demo - asks an OpenAI-compatible server in place of the little model", async () => {
  await using server = openAiStandIn(answered("Tides rise."));
  await using somebody = await person();
  const { code, stdout, stderr } = await somebody.run([
    "demo",
    "What is a tide?",
    "--executor",
    "local",
    "--upstream",
    server.url,
    "--model",
    "big",
  ]);
  assertEquals([code, stdout], [0, "Tides rise.\n"], stderr);
  assertStringIncludes(stderr, `The job asks big at ${server.url}`);
  const { messages } = server.requests[0].body as { messages: { content: string }[] };
  assertEquals(messages.at(-1)?.content, "What is a tide?");
});

Deno.test("demo - a server that fails is told of, and no answer is made up", async () => {
  await using somebody = await person();
  const { code, stdout, stderr } = await somebody.run([
    "demo",
    "--executor",
    "local",
    "--upstream",
    "http://127.0.0.1:1/v1",
    "--model",
    "m",
  ]);
  assertEquals([code, stdout], [12, ""]);
  assertStringIncludes(stderr, "The job asks m at http://127.0.0.1:1/v1");
  assertMatch(stderr, /\| tiny_lm: .*127\.0\.0\.1:1/);
});
