/** What a reader sees of a program whose output a producer sends. @module */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { until } from "../../../tools/until.ts";
import { openChannel } from "./open_channel.ts";
import { PRODUCER_KINDS } from "./producer_kinds.ts";
import { runProducer } from "./run_producer.ts";

const PIPE = ["pipe", "--verdict", "%/verdict", "--pid", "%/pid"];
const LINES = Array.from({ length: 2000 }, (_, i) => `${i} é€𝄞\t"\\\u0007\n`).join("");
const bytes = (text: string) => new TextEncoder().encode(text);

for (const kind of PRODUCER_KINDS) {
  const test = (name: string, fn: () => Promise<void>) =>
    Deno.test({ name: `producer, ${kind.name} - ${name}`, ignore: kind.ignore, fn });

  test("2,000 lines, a byte at a time", async () => {
    await using open = await openChannel();
    const producer = await runProducer(kind, open, PIPE);
    const all = bytes(LINES);
    for (let i = 0; i < all.length; i++) await producer.write(all.subarray(i, i + 1));
    await producer.conclude("exit 0\n");
    const { code, stdout, stderr } = await producer.ended;
    assertEquals({ code, stdout, stderr }, { code: 0, stdout: "", stderr: "" });
    const events = await open.events;
    assertEquals(open.received(), LINES);
    assertEquals(events.at(0)?.type, "status");
    assertEquals(events.at(-1)?.type, "done");
  });

  test("the same text across cuts of its connection", async () => {
    await using open = await openChannel();
    const producer = await runProducer(kind, open, PIPE);
    const all = bytes(LINES);
    const parts = 8;
    const decoder = new TextDecoder();
    let sent = "";
    for (let part = 0; part < parts; part++) {
      // in the middle of a request, of an answer, or of what follows
      open.proxy.cutAfter(150 + part * 170);
      const piece = all.subarray(all.length * part / parts, all.length * (part + 1) / parts);
      await producer.write(piece);
      sent += decoder.decode(piece, { stream: true });
      await until("the part to arrive", () => open.received() === sent, { every: 5 });
    }
    await producer.conclude("exit 0\n");
    assertEquals((await producer.ended).code, 0);
    assertEquals((await open.events).at(-1)?.type, "done");
    assertEquals(open.received(), LINES);
    assert(open.proxy.connections > 2, "the connection was cut");
  });

  test("output is kept while no relay can be reached", async () => {
    await using open = await openChannel();
    open.proxy.refuse();
    const producer = await runProducer(kind, open, PIPE);
    await producer.write(LINES);
    await producer.conclude("exit 0\n");
    open.proxy.accept();
    assertEquals((await producer.ended).code, 0);
    assertEquals((await open.events).at(-1)?.type, "done");
    assertEquals(open.received(), LINES);
  });

  test("gives up some time after the program's end, and says so", async () => {
    await using open = await openChannel();
    open.proxy.refuse();
    const producer = await runProducer(kind, open, PIPE, { STREAMRELAY_GIVE_UP: "1" });
    await producer.write("lost");
    await producer.conclude("exit 0\n");
    const { code, stderr } = await producer.ended;
    assertEquals(code, 1);
    assertStringIncludes(stderr, "streamrelay: streaming stopped:");
  });

  test("a channel that has its end already is told in one line", async () => {
    await using open = await openChannel();
    await open.control.end(open.channel.id, { kind: "done" });
    const producer = await runProducer(kind, open, PIPE);
    // who doesn't wait for each answer hears of it with what comes next
    await until("it is told", async () => {
      await producer.write("late");
      return producer.said().includes("\n");
    });
    await producer.conclude("exit 0\n");
    const { code, stderr } = await producer.ended;
    assertEquals(code, 1);
    assertMatch(stderr, /^streamrelay: streaming stopped: .*has its end.*\n$/);
  });

  test("a failing program's exit code and stderr become the end", async () => {
    await using open = await openChannel();
    const producer = await runProducer(kind, open, PIPE);
    await producer.write("half");
    await producer.conclude('exit 7\nline 1\nno "space" \\ left é\n');
    assertEquals((await producer.ended).code, 0);
    const end = (await open.events).at(-1);
    assert(end?.type === "error");
    assertEquals(end.code, "job_failed");
    assertEquals(
      end.message,
      'The program ended with exit code 7: no "space" \\ left é',
    );
    assertEquals(end.details?.exitCode, 7);
    assertEquals(end.details?.stderr, 'line 1\nno "space" \\ left é\n');
  });

  test("half a character at the end becomes one replacement character", async () => {
    await using open = await openChannel();
    const producer = await runProducer(kind, open, PIPE);
    await producer.write(bytes("a€").subarray(0, 3));
    await producer.conclude("signal 9\n");
    assertEquals((await producer.ended).code, 0);
    const end = (await open.events).at(-1);
    assert(end?.type === "error");
    assertEquals(end.details?.signal, 9);
    assertEquals(open.received(), "a\ufffd");
  });

  test("a background child that holds the output open delays the end only a little", async () => {
    await using open = await openChannel();
    const producer = await runProducer(kind, open, PIPE, { STREAMRELAY_DRAIN: "0.2" });
    await producer.write("all");
    await until("the text", () => open.received() === "all", { every: 5 });
    await Deno.writeTextFile(`${producer.folder}/verdict`, "exit 0\n");
    assertEquals((await producer.ended).code, 0);
    assertEquals((await open.events).at(-1)?.type, "done");
    await producer.conclude().catch(() => {}); // nobody reads there any more
  });

  test("a cancel ends the program's whole group, by force if need be", async () => {
    await using open = await openChannel();
    const producer = await runProducer(kind, open, PIPE, { STREAMRELAY_KILL_AFTER: "0.2" });
    const program = new Deno.Command("setsid", {
      args: ["bash", "-c", "trap '' TERM; while :; do sleep 60; done"],
    }).spawn();
    await Deno.writeTextFile(`${producer.folder}/pid`, `${program.pid}\n`);
    await producer.write("start");
    await until("the text", () => open.received() === "start", { every: 5 });
    await open.control.cancel(open.channel.id, 'enough "now"');
    assertEquals((await program.status).signal, "SIGKILL");
    await producer.conclude("signal 9\n");
    assertEquals((await producer.ended).code, 0);
    const end = (await open.events).at(-1);
    assert(end?.type === "error");
    assertEquals(end.code, "cancelled");
    assertStringIncludes(end.message, 'enough "now"');
    assertEquals(end.details?.reason, 'enough "now"');
  });

  test("a cancel is heard at once, long before a sign of life is due", async () => {
    await using open = await openChannel();
    const producer = await runProducer(kind, open, PIPE, { STREAMRELAY_HEARTBEAT: "600" });
    const program = new Deno.Command("setsid", { args: ["sleep", "600"] }).spawn();
    await Deno.writeTextFile(`${producer.folder}/pid`, `${program.pid}\n`);
    await until(
      "the producer is there",
      async () => (await open.control.info(open.channel.id)).producer,
    );
    await open.control.cancel(open.channel.id, "enough");
    assertEquals((await program.status).signal, "SIGTERM");
    await producer.conclude("signal 15\n");
    assertEquals((await producer.ended).code, 0);
    const end = (await open.events).at(-1);
    assertEquals(end?.type === "error" && end.code, "cancelled");
  });

  test("an input that just ends proves nothing", async () => {
    await using open = await openChannel();
    const producer = await runProducer(kind, open, ["pipe"]);
    await producer.write("text");
    await producer.conclude();
    const { code, stderr } = await producer.ended;
    assertEquals(code, 1);
    assertStringIncludes(stderr, "--eof-is-done");
    assertEquals((await open.control.info(open.channel.id)).end, undefined);
  });

  test("an input that just ends is done where the user says so", async () => {
    await using open = await openChannel();
    const producer = await runProducer(kind, open, ["pipe", "--eof-is-done"]);
    await producer.write("text");
    await producer.conclude();
    assertEquals((await producer.ended).code, 0);
    assertEquals((await open.events).at(-1)?.type, "done");
  });

  test("a hint is printed once when nothing comes", async () => {
    await using open = await openChannel();
    const producer = await runProducer(kind, open, PIPE, { STREAMRELAY_HINT: "0.3" });
    await until("the hint", () => producer.said().includes("may be buffered"));
    await producer.conclude("exit 0\n");
    const { code, stderr } = await producer.ended;
    assertEquals(code, 0);
    assertEquals(stderr.split("may be buffered").length, 2);
  });

  test("a wrong token is refused in a sentence that doesn't show it", async () => {
    await using open = await openChannel();
    const producer = await runProducer(kind, open, PIPE, { STREAMRELAY_TOKEN: "wrong-token" });
    await producer.conclude("exit 0\n").catch(() => {});
    const { code, stderr } = await producer.ended;
    assertEquals(code, 1);
    assertStringIncludes(stderr, "streaming stopped");
    assert(!stderr.includes("wrong-token"));
  });
}
