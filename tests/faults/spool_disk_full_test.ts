/** Producers whose spool is on a disk that fills up in the middle of a frame. @module */
import { assertEquals } from "@std/assert";
import { localPrograms } from "../../adapters/program_runner.ts";
import { SpoolFeed } from "../../adapters/spool/spool_feed.ts";
import { cannotMount, disk } from "../tools/small_disk.ts";
import { until } from "../tools/until.ts";
import { openChannel } from "../unit/adapters/producers/open_channel.ts";
import { PRODUCER_KINDS } from "../unit/adapters/producers/producer_kinds.ts";
import { runProducer } from "../unit/adapters/producers/run_producer.ts";

const noDisk = await cannotMount();
const LINES = Array.from({ length: 20_000 }, (_, i) => `${i} é\n`).join("");

for (const kind of PRODUCER_KINDS) {
  Deno.test({
    name:
      `full spool, ${kind.name} - what was written of a frame is taken back, and nothing is lost`,
    ignore: noDisk || kind.ignore,
    async fn() {
      await using open = await openChannel();
      await using small = await disk(2);
      const folder = `${small.path}/spool`;
      await Deno.mkdir(folder, { mode: 0o700 });
      await Deno.writeTextFile(`${folder}/1.spool`, "");
      await Deno.writeTextFile(`${folder}/cancel`, "");
      const feed = new SpoolFeed({
        machine: localPrograms.machine,
        folder,
        relay: open.url,
        channel: open.channel.id,
        token: open.channel.tokens.produce,
        timings: { spoolEvery: 20, spoolRetry: 50 },
        trouble: () => {},
        broken: (error) => console.error(error.message),
      });
      try {
        const producer = await runProducer(
          kind,
          open,
          ["pipe", "--verdict", "%/verdict", "--pid", "%/pid"],
          { STREAMRELAY_SPOOL: folder, STREAMRELAY_URL: "" },
        );
        await producer.write("begun\n");
        await until("the beginning", () => open.received() === "begun\n");
        await small.fill();
        // some pages are left: a frame begins to be written, and no more
        await small.free(12_288);
        const size = (await Deno.stat(`${folder}/1.spool`)).size;
        await producer.write(LINES);
        await until(
          "part of a frame",
          async () => (await Deno.stat(`${folder}/1.spool`)).size > size + 4_096,
        );
        await small.free();
        await producer.conclude("exit 0\n");
        assertEquals((await producer.ended).code, 0);
        assertEquals((await open.events).at(-1)?.type, "done");
        assertEquals(open.received(), `begun\n${LINES}`);
      } finally {
        await feed.stop();
      }
    },
  });
}
