/** A relay whose clock jumps. @module */
import { assertEquals, assertRejects } from "@std/assert";
import { ControlClient, RelayConsumer, RelayProducer, RelaySupervisor } from "../../client/mod.ts";
import { mintToken } from "../../server/mod.ts";
import { StreamError } from "../../stream/mod.ts";
import { tcpProxy } from "../tools/tcp_proxy.ts";
import { check, type History } from "./history.ts";
import { RelayProcess } from "./relay_process.ts";

const DAY = 86_400_000;
const RETRY = { base: 5, cap: 50 };

async function withRelay(
  options: { grace?: number; folder?: boolean },
  task: (relay: RelayProcess, secret: string, control: ControlClient) => Promise<void>,
): Promise<void> {
  const secret = crypto.randomUUID();
  const folder = options.folder === false ? undefined : await Deno.makeTempDir();
  const relay = new RelayProcess({
    secret,
    folder,
    grace: options.grace,
    clock: true,
    options: { sweepInterval: 0.05 },
  });
  await relay.start();
  try {
    await task(relay, secret, new ControlClient({ url: relay.url, token: secret }));
  } finally {
    await relay.stop();
    if (folder) await Deno.remove(folder, { recursive: true });
  }
}

for (const folder of [true, false]) {
  Deno.test(`clocks - streams go on whatever the time [${folder ? "sqlite" : "memory"}]`, () =>
    withRelay({ folder }, async (relay, _, control) => {
      const jumps = [DAY * 2, -DAY * 3, 3_600_000, DAY * 400, -DAY * 400, -1000];
      const histories = await Promise.all(Array.from({ length: 20 }, async (_, stream) => {
        const { id: channel, tokens } = await control.createChannel();
        const address = { url: relay.url, channel, key: "", retry: RETRY };
        const history: History = { stream, written: 0, intent: "done", read: [] };
        const events = new RelayConsumer({ ...address, token: tokens.consume }).stream();
        const supervisor = new RelaySupervisor({ ...address, token: tokens.supervise, lease: 600 });
        await supervisor.connect();
        const producer = new RelayProducer({ ...address, token: tokens.produce });
        await producer.connect();
        const reading = (async () => {
          for await (const token of events) history.read.push(Number(token));
          history.result = await events.result;
        })();
        return { history, producer, supervisor, reading };
      }));
      for (const jump of jumps) {
        await relay.jump(jump);
        await Promise.all(histories.map(async ({ history, producer }) => {
          for (let i = 0; i < 50; i++) await producer.token(String(history.written++));
        }));
      }
      await Promise.all(histories.map(({ producer }) => producer.done()));
      await Promise.all(histories.map(({ reading }) => reading));
      for (const { supervisor } of histories) supervisor.close();
      assertEquals(check(histories.map(({ history }) => history)).complaints, []);
    }));
}

for (const jump of [-DAY, DAY]) {
  Deno.test(`clocks - a grace is as long as it is, the day ${jump < 0 ? "before" : "after"}`, () =>
    withRelay({ grace: 0.3 }, async (relay, _, control) => {
      const { id: channel, tokens } = await control.createChannel();
      const address = { url: relay.url, channel, key: "", retry: RETRY };
      const stream = new RelayConsumer({ ...address, token: tokens.consume }).stream();
      const producer = new RelayProducer({ ...address, token: tokens.produce });
      await producer.token("half");
      await producer.close();
      await relay.jump(jump);
      assertEquals((await stream.drain()).reason, "producer_lost");
    }));
}

Deno.test("clocks - a token that expires in mid-stream: who is in stays, who must come back can't", () =>
  withRelay({ grace: 0.2 }, async (relay, secret, control) => {
    const proxy = await tcpProxy({ to: relay.port });
    try {
      const expiring = async (channel: string, role: "produce" | "consume") =>
        await mintToken(secret, { channel, roles: [role], expiresIn: 3600 });
      const begin = async () => {
        const { id } = await control.createChannel();
        const address = {
          url: `ws://127.0.0.1:${proxy.port}`,
          channel: id,
          key: "",
          retry: RETRY,
        };
        const consumer = new RelayConsumer({ ...address, token: await expiring(id, "consume") });
        const producer = new RelayProducer({ ...address, token: await expiring(id, "produce") });
        const tokens = consumer.stream()[Symbol.asyncIterator]();
        await producer.token("one");
        assertEquals((await tokens.next()).value, "one");
        return { id, producer, tokens };
      };
      const stays = await begin();
      await relay.jump(2 * 3_600_000);
      await stays.producer.token("two");
      assertEquals((await stays.tokens.next()).value, "two");
      await stays.producer.done();
      assertEquals((await stays.tokens.next()).done, true);

      await relay.jump(-2 * 3_600_000);
      const cut = await begin();
      await relay.jump(2 * 3_600_000);
      proxy.cut();
      const failure = await assertRejects(() => cut.tokens.next(), StreamError);
      assertEquals(failure.code, "unauthorized");
      const refused = await assertRejects(() => cut.producer.done(), StreamError);
      assertEquals(refused.code, "unauthorized");
      // whoever may still read is told the truth
      const rest = new RelayConsumer({ url: relay.url, channel: cut.id, token: secret, key: "" });
      const events = await Array.fromAsync(rest.stream().events());
      assertEquals(events[0], { type: "token", content: "one" });
      const last = events.at(-1);
      assertEquals(last?.type === "error" && last.code, "producer_lost");
    } finally {
      await proxy.close();
    }
  }));
