/** Producers with a key: what they send is encrypted, what they fetch is decrypted. @module */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { RelayConsumer } from "../../../../client/mod.ts";
import { generateKey, sealInput } from "../../../../stream/mod.ts";
import { type OpenChannel, openChannel } from "./open_channel.ts";
import { PRODUCER_KINDS, type ProducerKind } from "./producer_kinds.ts";
import { runProducer } from "./run_producer.ts";

const [curl] = PRODUCER_KINDS.filter(({ name }) => name.includes("curl"));
const [python] = PRODUCER_KINDS.filter(({ name }) => name.includes("python"));
const KINDS: [ProducerKind, Record<string, string>][] = [
  ...PRODUCER_KINDS.filter((kind) => kind !== curl)
    .map((kind): [ProducerKind, Record<string, string>] => [kind, {}]),
  [{ ...python, name: "python3 with libcrypto" }, { STREAMRELAY_CIPHER: "libcrypto" }],
];

/** Everything that the relay holds of the channel. */
async function seenByTheRelay({ channel, env, url }: OpenChannel): Promise<string> {
  const socket = new WebSocket(`${url}/v2/consume/${channel.id}`);
  let seen = "";
  await new Promise((resolve) => {
    socket.onopen = () =>
      socket.send(JSON.stringify({ hello: { v: 2, auth: channel.tokens.consume, from: 0 } }));
    socket.onmessage = ({ data }) => seen += data;
    socket.onclose = resolve;
  });
  assertStringIncludes(seen, '"enc2"');
  assert(!seen.includes(env.STREAMRELAY_KEY));
  return seen;
}

for (const [kind, env] of KINDS) {
  const test = (name: string, fn: () => Promise<void>) =>
    Deno.test({ name: `producer, ${kind.name}, encrypted - ${name}`, ignore: kind.ignore, fn });

  test("output and success", async () => {
    await using open = await openChannel(generateKey());
    const producer = await runProducer(kind, open, ["pipe", "--verdict", "%/verdict"], env);
    for (let at = 0; at < 200; at++) await producer.write(`wörd ${at} `);
    await producer.conclude("exit 0\n");
    assertEquals((await producer.ended).code, 0);
    assertEquals((await open.events).at(-1)?.type, "done");
    assertEquals(open.received().split(" ").length, 401);
    assert(!(await seenByTheRelay(open)).includes("rd 1"));
  });

  test("a failure, of which the relay learns no more than that", async () => {
    await using open = await openChannel(generateKey());
    const command = "echo secret words; echo 'no luck' >&2; exit 9";
    const producer = await runProducer(kind, open, ["run", "--", "bash", "-c", command], env);
    await producer.conclude();
    assertEquals((await producer.ended).code, 9);
    const end = (await open.events).at(-1);
    assert(end?.type === "error");
    assertEquals([end.details?.exitCode, end.details?.stderr], [9, "no luck\n"]);
    const seen = await seenByTheRelay(open);
    assert(!seen.includes("secret words") && !seen.includes("no luck"));
  });

  test("cuts change nothing", async () => {
    await using open = await openChannel(generateKey());
    const producer = await runProducer(kind, open, ["pipe", "--verdict", "%/verdict"], env);
    for (let at = 0; at < 50; at++) {
      await producer.write(`${at} `);
      if (at % 10 === 5) open.proxy.cutAfter(300);
    }
    await producer.conclude("exit 0\n");
    assertEquals((await producer.ended).code, 0);
    await open.events;
    assertEquals(open.received(), Array.from({ length: 50 }, (_, at) => `${at} `).join(""));
  });

  test("a report goes on after the records of the user's own producer", async () => {
    await using open = await openChannel(generateKey());
    const own = await runProducer(kind, open, ["pipe"], env);
    await own.write("before ");
    await own.conclude();
    await own.ended;
    const producer = await runProducer(kind, open, ["report", "--verdict", "%/verdict"], env);
    await Deno.writeTextFile(`${producer.folder}/verdict`, "exit 3\nno luck\n");
    await producer.conclude("exit 3\nno luck\n");
    const end = (await open.events).at(-1);
    assertEquals(end?.type === "error" && end.details?.exitCode, 3);
    assertEquals(open.received(), "before ");
    await producer.ended;
  });

  test("the input is decrypted, and nothing else taken for one", async () => {
    const key = generateKey();
    await using open = await openChannel(key);
    const { channel: { id }, control } = open;
    const text = new TextEncoder().encode("Tell me a störy");
    await control.putInput(id, await sealInput(key, id, text));
    const input = `${await Deno.makeTempDir()}/input`;
    const fetched = async () => {
      const producer = await runProducer(kind, open, ["input", input], env);
      await producer.conclude().catch(() => {});
      return await producer.ended;
    };
    assertEquals((await fetched()).code, 0);
    assertEquals(await Deno.readFile(input), text);
    await Deno.remove(input);
    await control.putInput(id, "Tell me something else");
    const { code, stderr } = await fetched();
    assertEquals(code, 1);
    assertStringIncludes(stderr, "another");
    await Deno.remove(input.slice(0, -6), { recursive: true });
  });
}

Deno.test({
  name: "producer, bash + curl, encrypted - refuses in one sentence",
  ignore: curl.ignore,
  async fn() {
    await using open = await openChannel(generateKey());
    const producer = await runProducer(curl, open, ["check"]);
    await producer.conclude().catch(() => {});
    const { code, stderr } = await producer.ended;
    assertEquals(code, 1);
    assertStringIncludes(stderr, "can't encrypt");
  },
});

Deno.test({
  name: "producer, python3, encrypted - a key of encryption v1 is refused in one sentence",
  ignore: python.ignore,
  async fn() {
    await using open = await openChannel();
    const producer = await runProducer(python, open, ["check"], {
      RELAY_ENCRYPTION_KEY: generateKey(),
    });
    await producer.conclude().catch(() => {});
    const { code, stderr } = await producer.ended;
    assertEquals(code, 1);
    assertStringIncludes(stderr, "expected STREAMRELAY_KEY");
  },
});

Deno.test("producers, encrypted - another key reads nothing", async () => {
  await using open = await openChannel(generateKey());
  const [kind] = PRODUCER_KINDS;
  const producer = await runProducer(kind, open, ["run", "--", "echo", "Hello"]);
  await producer.conclude();
  await producer.ended;
  await open.events;
  const stream = new RelayConsumer({
    url: open.url,
    channel: open.channel.id,
    token: open.channel.tokens.consume,
    key: generateKey(),
  }).stream();
  assertEquals((await stream.drain()).reason, "decrypt_failed");
});
