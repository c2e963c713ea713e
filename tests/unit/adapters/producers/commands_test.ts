/** What producers do beside piping: running a command, fetching the input, reporting. @module */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { until } from "../../../tools/until.ts";
import { openChannel } from "./open_channel.ts";
import { PRODUCER_KINDS } from "./producer_kinds.ts";
import { runProducer } from "./run_producer.ts";

for (const kind of PRODUCER_KINDS) {
  const test = (name: string, fn: () => Promise<void>) =>
    Deno.test({ name: `producer, ${kind.name} - ${name}`, ignore: kind.ignore, fn });

  test("run: a command's output, in the stream and as its own", async () => {
    await using open = await openChannel();
    const command = 'echo "out é $1 ${STREAMRELAY_TOKEN-no token}"; echo err >&2';
    const producer = await runProducer(kind, open, [
      "run",
      "--",
      "bash",
      "-c",
      command,
      "x",
      "a b",
    ]);
    await producer.conclude();
    const { code, stdout, stderr } = await producer.ended;
    const text = "out é a b no token\n";
    assertEquals({ code, stdout, stderr }, { code: 0, stdout: text, stderr: "err\n" });
    assertEquals((await open.events).at(-1)?.type, "done");
    assertEquals(open.received(), text);
  });

  test("run: a command's exit code and stderr become the end", async () => {
    await using open = await openChannel();
    const command = "echo 'no luck' >&2; exit 9";
    const producer = await runProducer(kind, open, ["run", "--", "bash", "-c", command]);
    await producer.conclude();
    assertEquals((await producer.ended).code, 9);
    const end = (await open.events).at(-1);
    assert(end?.type === "error");
    assertEquals(end.details?.exitCode, 9);
    assertEquals(end.details?.stderr, "no luck\n");
  });

  test("run: a command that isn't there", async () => {
    await using open = await openChannel();
    const producer = await runProducer(kind, open, ["run", "--", "nonsense-command"]);
    await producer.conclude().catch(() => {});
    const { code, stderr } = await producer.ended;
    assertEquals(code, 127);
    assertStringIncludes(stderr, "nonsense-command");
    const end = (await open.events).at(-1);
    assertEquals(end?.type === "error" && end.details?.exitCode, 127);
  });

  test("run: a cancel ends the command", async () => {
    await using open = await openChannel();
    const producer = await runProducer(kind, open, [
      "run",
      "--",
      "bash",
      "-c",
      "echo on; sleep 60",
    ]);
    await until("the text", () => open.received() === "on\n", { every: 5 });
    await open.control.cancel(open.channel.id);
    assertEquals((await producer.ended).code, 143);
    await producer.conclude().catch(() => {});
    const end = (await open.events).at(-1);
    assertEquals(end?.type === "error" && end.code, "cancelled");
  });

  test("input: fetched into a file of its owner's only; 3 without, 4 once cancelled", async () => {
    await using open = await openChannel();
    const input = async (file: string) => {
      const producer = await runProducer(kind, open, ["input", file]);
      await producer.conclude().catch(() => {});
      return (await producer.ended).code;
    };
    const file = await Deno.makeTempFile();
    await Deno.remove(file);
    assertEquals(await input(file), 3);
    const bytes = new Uint8Array(300_000).map((_, i) => i * 7);
    await open.control.putInput(open.channel.id, bytes);
    assertEquals(await input(file), 0);
    assertEquals(await Deno.readFile(file), bytes);
    assertEquals((await Deno.stat(file)).mode! & 0o777, 0o600);
    await open.control.cancel(open.channel.id);
    assertEquals(await input(file), 4);
    await Deno.remove(file);
  });

  test("report: a failure is told after what another producer wrote", async () => {
    await using open = await openChannel();
    const { id } = open.channel;
    const { epoch } = await open.control.claim(id, { instance: "own" });
    const body = '{"type":"token","content":"own text"}';
    await open.control.records(id, { instance: "own", epoch, seq: 0, body });
    const verdict = await Deno.makeTempFile();
    await Deno.writeTextFile(verdict, "exit 2\nTraceback\n");
    const producer = await runProducer(kind, open, ["report", "--verdict", verdict]);
    await producer.conclude().catch(() => {});
    assertEquals((await producer.ended).code, 0);
    const events = await open.events;
    assertEquals(events.map(({ type }) => type), ["token", "error"]);
    await Deno.remove(verdict);
  });

  test("report: an end that is there stands", async () => {
    await using open = await openChannel();
    await open.control.end(open.channel.id, { kind: "done" });
    const verdict = await Deno.makeTempFile();
    await Deno.writeTextFile(verdict, "exit 2\n");
    const producer = await runProducer(kind, open, ["report", "--verdict", verdict]);
    await producer.conclude().catch(() => {});
    const { code, stderr } = await producer.ended;
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    await Deno.remove(verdict);
  });

  test("check: usable with a relay's URL, not with another", async () => {
    await using open = await openChannel();
    for (const [url, expected] of [[open.url, 0], ["ftp://x", 1]] as const) {
      const producer = await runProducer(kind, open, ["check"], { STREAMRELAY_URL: url });
      await producer.conclude().catch(() => {});
      const { code, stderr } = await producer.ended;
      assertEquals({ code, said: stderr !== "" }, { code: expected, said: expected !== 0 });
    }
  });
}
