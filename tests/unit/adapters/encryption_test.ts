/** Executors encrypt: what the relay holds of a job's stream, and what its reader learns. @module */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type ExecutorConfig, LocalExecutor, type ProducerKind } from "../../../adapters/mod.ts";
import { ControlClient } from "../../../client/mod.ts";
import { StreamError, type StreamEvent } from "../../../stream/mod.ts";
import { type ExecutorFixture, executorFixture } from "../../systems/executor_fixture.ts";

type Relay = { url: string; token?: string };

/** Everything that the relay holds of its channels, as it stands there. */
async function held({ config }: ExecutorFixture): Promise<string> {
  const { url, token } = config.relay as Relay;
  const control = new ControlClient({ url, token });
  let text = "";
  for (const channel of await control.list()) {
    const socket = new WebSocket(`${url}/v2/consume/${channel.id}`);
    await new Promise((resolve) => {
      socket.onopen = () => socket.send(JSON.stringify({ hello: { v: 2, auth: token } }));
      socket.onmessage = ({ data }) => text += data;
      socket.onclose = resolve;
    });
    text += JSON.stringify(channel);
  }
  return text;
}

for (const use of ["deno", "python3"] as const satisfies ProducerKind[]) {
  const producer = { use: [use] };

  Deno.test(`executor, encrypted by ${use} - the relay holds neither prompt nor text`, async () => {
    await using fixture = await executorFixture();
    const executor = new LocalExecutor({ ...fixture.config, producer });
    const script = { text: '#!/bin/bash\nread it; echo "wörds of $it"; echo $STREAMRELAY_KEY' };
    const events: StreamEvent[] = [];
    for await (const event of executor.stream(script, "the prompt\n").events()) events.push(event);
    const text = events.map((event) => event.type === "token" ? event.content : "").join("");
    // and the program has no key
    assertEquals(text, "wörds of the prompt\n\n");
    const [submitted] = events;
    assertEquals(submitted.type === "status" && submitted.details, { encryption: "v2" });
    const seen = await held(fixture);
    assertStringIncludes(seen, '"enc2"');
    assertStringIncludes(seen, '"keyed":true');
    assert(!seen.includes("prompt") && !seen.includes("rds of"));
  });

  Deno.test(`executor, encrypted by ${use} - why it failed is for the reader alone`, async () => {
    await using fixture = await executorFixture();
    const executor = new LocalExecutor({ ...fixture.config, producer });
    const stream = executor.stream({ text: "#!/bin/bash\necho out; echo no luck >&2; exit 7" });
    const error = await assertRejects(() => stream.text(), StreamError, "no luck");
    assertEquals([error.code, error.details.exitCode], ["job_failed", 7]);
    assertEquals(error.details.stderr, "no luck\n");
    assertEquals((await stream.result).error?.details.stderr, "no luck\n");
    const seen = await held(fixture);
    assert(!seen.includes("no luck"));
    assertStringIncludes(seen, '"exitCode":7');
  });
}

Deno.test("executor, encrypted - a result without a reader is proven, too", async () => {
  await using fixture = await executorFixture();
  const executor = new LocalExecutor(fixture.config);
  assertEquals((await executor.stream({ text: "echo hi" }).result).reason, "completed");
  const failed = await executor.stream({ text: "#!/bin/bash\necho why >&2; exit 3" }).result;
  assertEquals(failed.error?.details.stderr, "why\n");
});

Deno.test("executor, encrypted - the key goes by file where the token does", async () => {
  await using fixture = await executorFixture();
  const executor = new LocalExecutor({ ...fixture.config, credentials: "file" });
  assertEquals(await executor.stream({ text: "cat" }, "hello").text(), "hello");
});

Deno.test("executor, encrypted - each stream has a key of its own", async () => {
  await using fixture = await executorFixture();
  const before = Deno.env.get("XDG_STATE_HOME");
  Deno.env.set("XDG_STATE_HOME", fixture.dir);
  const executor = new LocalExecutor(fixture.config);
  const jobs = [
    await executor.submit({ text: "echo a" }),
    await executor.submit({ text: "echo b" }),
  ];
  const keys = jobs.map(({ key }) => key);
  assert(keys[0]?.length === 64 && keys[0] !== keys[1]);
  assertEquals(await executor.attach(jobs[1]).text(), "b\n");
  if (before === undefined) Deno.env.delete("XDG_STATE_HOME");
  else Deno.env.set("XDG_STATE_HOME", before);
});

Deno.test("executor, encrypted - off has to be said, and is told", async () => {
  await using fixture = await executorFixture();
  const config: ExecutorConfig = { ...fixture.config, producer: { use: ["curl"] } };
  const refused = new LocalExecutor(config).stream({ text: "echo hi" });
  await assertRejects(() => refused.text(), StreamError, 'encryption: "off"');
  const executor = new LocalExecutor({ ...config, encryption: "off" });
  const events = await Array.fromAsync(executor.stream({ text: "echo hi" }).events());
  const [submitted] = events;
  assertEquals(submitted.type === "status" && submitted.details, { encryption: "off" });
  assertEquals(events.at(-1)?.type, "done");
});

Deno.test("executor, v1 - a program that speaks for itself has its key by the package's name", async () => {
  await using fixture = await executorFixture();
  const [client, config] = ["client/mod.ts", "deno.json"].map((path) =>
    new URL(`../../../${path}`, import.meta.url).pathname
  );
  const script = {
    text: `#!/usr/bin/env -S ${Deno.execPath()} run -A --quiet --config ${config}
import { RelayProducer } from "${client}";
const producer = new RelayProducer();
await producer.token(await new Response(Deno.stdin.readable).text());
await producer.token(Deno.env.get("STREAMRELAY_KEY") ?? "!");
Deno.args[0] === "fail" ? await producer.fail(new Error("no luck")) : await producer.done();
`,
  };
  const options = { producer: { script: true }, encryption: "v1" } as const;
  const executor = new LocalExecutor({ ...fixture.config, ...options });
  const events = await Array.fromAsync(executor.stream(script, "the prompt").events());
  const text = events.map((event) => event.type === "token" ? event.content : "").join("");
  assertEquals(text, "the prompt!");
  const [submitted] = events;
  assertEquals(submitted.type === "status" && submitted.details, { encryption: "v1" });
  const failing = executor.stream(script, "the prompt", { args: ["fail"] });
  await assertRejects(() => failing.text(), StreamError, "no luck");
  const seen = await held(fixture);
  assertStringIncludes(seen, '"enc"');
  assert(!seen.includes("prompt") && !seen.includes("no luck"));
});

Deno.test("executor, v1 - nobody else's to write", async () => {
  await using fixture = await executorFixture();
  const executor = new LocalExecutor({ ...fixture.config, encryption: "v1" });
  await assertRejects(
    () => executor.stream({ text: "echo" }).text(),
    StreamError,
    "producer.script",
  );
});
