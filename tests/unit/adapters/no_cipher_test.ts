/** A node with no more than bash and curl, and a stream that is encrypted: it ends with why, and in no other way. @module */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { LocalExecutor } from "../../../adapters/mod.ts";
import { generateKey, StreamError } from "../../../stream/mod.ts";
import { bareNode } from "../../systems/bare_node.ts";
import { executorFixture } from "../../systems/executor_fixture.ts";
import { openChannel } from "./producers/open_channel.ts";
import { PRODUCER_KINDS } from "./producers/producer_kinds.ts";
import { runProducer } from "./producers/run_producer.ts";

const [curl] = PRODUCER_KINDS.filter(({ name }) => name.includes("curl"));
const { ignore } = curl;

Deno.test({ name: "no cipher - the stream of a job ends with the reason", ignore }, async () => {
  await using fixture = await executorFixture();
  const PATH = await bareNode(`${fixture.dir}/bin`, ["curl"]);
  for (const prompt of [undefined, "a prompt"]) {
    const ran = `${fixture.dir}/ran`;
    const executor = new LocalExecutor({ ...fixture.config, env: { PATH } });
    const stream = executor.stream({ text: `touch '${ran}'; echo secret` }, prompt);
    const error = await assertRejects(() => stream.text(), StreamError);
    assertEquals(error.code, "unsupported");
    assertStringIncludes(error.message, `no producer can be used on ${Deno.hostname()}`);
    assertStringIncludes(
      error.message,
      "the stream is encrypted: deno >= 2, node >= 22, or python3",
    );
    // the program was not run, so that nothing of it can be anywhere
    await assertRejects(() => Deno.stat(ran), Deno.errors.NotFound);
  }
  // what is said is what the same node can do
  const open = new LocalExecutor({ ...fixture.config, env: { PATH }, encryption: "off" });
  assertEquals(await open.stream({ text: "cat; echo" }, "a prompt").text(), "a prompt\n");
});

Deno.test({ name: "no cipher - the stream of a job by file, too", ignore }, async () => {
  const state = await Deno.makeTempDir();
  const before = Deno.env.get("STREAMRELAY_STATE");
  Deno.env.set("STREAMRELAY_STATE", state);
  try {
    await using fixture = await executorFixture();
    const PATH = await bareNode(`${fixture.dir}/bin`, []);
    const config = { ...fixture.config, transport: "file" as const, env: { PATH } };
    const stream = new LocalExecutor(config).stream({ text: "echo secret" }, "a prompt");
    const error = await assertRejects(
      () => stream.text(),
      StreamError,
      "no producer can be used on",
    );
    assertEquals(error.code, "unsupported");
  } finally {
    if (before === undefined) Deno.env.delete("STREAMRELAY_STATE");
    else Deno.env.set("STREAMRELAY_STATE", before);
    await Deno.remove(state, { recursive: true });
  }
});

Deno.test(
  { name: "no cipher - without curl it is the job's own words that tell", ignore },
  async () => {
    await using fixture = await executorFixture();
    const PATH = await bareNode(`${fixture.dir}/bin`, []);
    const executor = new LocalExecutor({ ...fixture.config, env: { PATH } });
    const error = await assertRejects(
      () => executor.stream({ text: "echo hi" }).text(),
      StreamError,
    );
    assertEquals([error.code, error.details.exitCode], ["job_failed", 86]);
    assertStringIncludes(error.message, "exit code 86: no producer can be used on");
  },
);

for (const args of [["pipe", "--eof-is-done"], ["run", "--", "echo", "secret"]]) {
  Deno.test({ name: `no cipher - producer.sh ${args[0]} ends the stream`, ignore }, async () => {
    await using open = await openChannel(generateKey());
    const producer = await runProducer(curl, open, args);
    await producer.conclude().catch(() => {});
    const { code, stdout, stderr } = await producer.ended;
    assertEquals([code, stdout, stderr.trim().split("\n").length], [1, "", 1]);
    const events = await open.events;
    assertEquals(events.length, 1);
    const [end] = events;
    assert(end.type === "error");
    assertEquals(end.code, "unsupported");
    assertStringIncludes(end.message, "bash with curl can't encrypt");
    assertEquals(stderr, `streamrelay: ${end.message}\n`);
  });
}
