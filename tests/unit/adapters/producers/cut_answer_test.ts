/** Answers that are cut off in their headers, which curl and Python take for whole ones. @module */
import { assertEquals } from "@std/assert";
import { openChannel } from "./open_channel.ts";
import { PRODUCER_KINDS } from "./producer_kinds.ts";
import { runProducer } from "./run_producer.ts";

/** Bytes of requests and answers after which the connection breaks: in all parts of them. */
const CUTS = Array.from({ length: 10 }, (_, at) => 200 + 97 * at);

for (const kind of PRODUCER_KINDS) {
  const test = (name: string, fn: () => Promise<void>) =>
    Deno.test({ name: `producer, ${kind.name}, cut off - ${name}`, ignore: kind.ignore, fn });

  test("the input is fetched whole", async () => {
    await using open = await openChannel();
    const text = "a long prompt ".repeat(30);
    await open.control.putInput(open.channel.id, text);
    const folder = await Deno.makeTempDir();
    for (const bytes of CUTS) {
      open.proxy.cutAfter(bytes);
      const producer = await runProducer(kind, open, ["input", `${folder}/${bytes}`]);
      await producer.conclude().catch(() => {});
      const { code, stderr } = await producer.ended;
      assertEquals({ code, stderr: stderr.replace(/.*trying on\n/, "") }, { code: 0, stderr: "" });
      assertEquals(await Deno.readTextFile(`${folder}/${bytes}`), text);
    }
    await Deno.remove(folder, { recursive: true });
  });

  test("the stream goes on", async () => {
    for (const bytes of CUTS) {
      await using open = await openChannel();
      open.proxy.cutAfter(bytes);
      const producer = await runProducer(kind, open, ["pipe", "--eof-is-done"]);
      await producer.write("all of it");
      await producer.conclude();
      const { code, stderr } = await producer.ended;
      assertEquals({ code, stderr: stderr.replace(/.*trying on\n/, "") }, { code: 0, stderr: "" });
      await open.events;
      assertEquals(open.received(), "all of it");
    }
  });
}
