/** Producer processes that are killed, start over, go on, or wake up when another has taken over. @module */
import { assertEquals, assertRejects } from "@std/assert";
import { ControlClient, RelayConsumer, RelayProducer } from "../../client/mod.ts";
import { openSqliteStore, serveRelay } from "../../server/mod.ts";
import { generateKey, StreamError } from "../../stream/mod.ts";
import { until } from "../tools/until.ts";
import { ProducerProcess } from "./producer_process.ts";

/** A channel on a relay, and ways to it. */
interface Setting {
  control: ControlClient;
  id: string;
  produce: { url: string; channel: string; token: string; key: string };
  consumer: () => RelayConsumer;
  tokens: Record<"produce" | "consume" | "supervise" | "cancel", string>;
  url: string;
}

for (const key of ["", generateKey()]) {
  const named = (name: string) => `attempts - ${name} [${key ? "encrypted" : "plain"}]`;

  const withChannel = async (task: (setting: Setting) => Promise<void>, grace = 60) => {
    const path = await Deno.makeTempDir();
    const secret = generateKey();
    const relay = await serveRelay({
      port: 0,
      secret,
      store: await openSqliteStore({ path, sync: "normal" }),
      producerGrace: grace,
    });
    try {
      const { url } = relay;
      const control = new ControlClient({ url, token: secret });
      const { id, tokens } = await control.createChannel({ keyed: key !== "" });
      await task({
        control,
        id,
        url,
        tokens,
        produce: { url, channel: id, token: tokens.produce, key },
        consumer: () => new RelayConsumer({ url, channel: id, token: tokens.consume, key }),
      });
    } finally {
      await relay.close();
      await Deno.remove(path, { recursive: true });
    }
  };
  const forever = { word: "…", every: 5 };

  Deno.test(
    named("one that is killed and starts over voids what it said"),
    () =>
      withChannel(async ({ produce, consumer }) => {
        const early = consumer().stream();
        const reading = early[Symbol.asyncIterator]();
        const first = await ProducerProcess.start({
          ...produce,
          words: ["half", " "],
          then: forever,
        });
        assertEquals((await reading.next()).value, "half");
        await first.kill();
        const second = await ProducerProcess.start({
          ...produce,
          words: ["all", "!"],
          then: "done",
        });
        assertEquals(await second.line(), "done");
        await second.kill();
        // who was given text that counts no more is told; who asks for the text gets the one that counts
        const failure = await assertRejects(async () => {
          while (!(await reading.next()).done);
        }, StreamError);
        assertEquals(failure.code, "restarted");
        const late = consumer().stream();
        assertEquals(await late.text(), "all!");
        assertEquals((await late.result).reason, "completed");
      }),
  );

  Deno.test(
    named("one that continues is one stream"),
    () =>
      withChannel(async ({ control, id, produce, consumer }) => {
        const stream = consumer().stream();
        const text = stream.text();
        const first = await ProducerProcess.start({ ...produce, words: ["one "], then: forever });
        await first.kill();
        const stored = (await control.info(id)).claims[0];
        const continues = { epoch: stored.epoch, count: stored.next };
        const second = await ProducerProcess.start({
          ...produce,
          continues,
          words: ["two"],
          then: "done",
        });
        assertEquals(await second.line(), "done");
        await second.kill();
        assertEquals((await text).replaceAll("…", ""), "one two");
        const events = await Array.fromAsync(consumer().stream().events());
        assertEquals(
          events.filter((event) => event.type === "status" && event.state === "restarted"),
          [],
        );
      }),
  );

  Deno.test(
    named("a zombie that wakes up writes nothing and learns why"),
    () =>
      withChannel(async ({ control, id, produce, consumer }) => {
        const zombie = await ProducerProcess.start({ ...produce, words: ["old"], then: forever });
        zombie.signal("SIGSTOP");
        const next = await ProducerProcess.start({
          ...produce,
          words: ["new"],
          then: { word: "+", every: 5 },
        });
        const before = (await control.info(id)).claims[0].next;
        zombie.signal("SIGCONT");
        assertEquals(await zombie.line(), "fenced");
        await zombie.kill();
        const { claims } = await control.info(id);
        assertEquals([claims[0].next, claims[0].fenced, claims[1].fenced], [before, true, false]);
        await next.kill();
        const last = await ProducerProcess.start({ ...produce, words: ["newest"], then: "done" });
        assertEquals(await last.line(), "done");
        await last.kill();
        assertEquals(await consumer().stream().text(), "newest");
      }),
  );

  Deno.test(
    named("one that is killed for good is lost after its grace, never done"),
    () =>
      withChannel(async ({ produce, consumer }) => {
        const stream = consumer().stream();
        const producer = await ProducerProcess.start({
          ...produce,
          words: ["half"],
          then: forever,
        });
        await producer.kill();
        assertEquals((await stream.drain()).reason, "producer_lost");
      }, 0.2),
  );

  Deno.test(
    named("a cancel token cancels, and can do nothing else"),
    () =>
      withChannel(async ({ url, id, tokens, produce, consumer }) => {
        const other = new ControlClient({ url, token: tokens.cancel });
        const producer = new RelayProducer(produce);
        await producer.token("one");
        const stream = consumer().stream();
        const result = stream.drain();
        for (
          const forbidden of [
            () => other.end(id, { kind: "done" }),
            () => other.delete(id),
            () => other.createChannel(),
            () => other.claim(id, { instance: "x" }),
          ]
        ) {
          assertEquals((await assertRejects(forbidden, StreamError)).code, "forbidden");
        }
        assertEquals((await other.cancel(id, "enough")).ack, "producer");
        await until("the producer hears of it", () => producer.signal.aborted);
        await producer.fail(producer.signal.reason);
        const { reason } = await result;
        assertEquals(reason, "cancelled");
      }),
  );
}
