/** The clients with a real relay. @module */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  ControlClient,
  RelayConsumer,
  RelayProducer,
  RelaySupervisor,
} from "../../../client/mod.ts";
import {
  type ChannelEnd,
  generateKey,
  StreamError,
  type StreamEvent,
} from "../../../stream/mod.ts";
import { test } from "../../tools/test.ts";
import { relayTest } from "./real_relay.ts";
import { send, words } from "./send_words.ts";

relayTest("relay - text goes from producer to consumer", async ({ url, control }) => {
  const { id, tokens } = await control.createChannel();
  const consumer = new RelayConsumer({
    url,
    channel: id,
    token: tokens.consume,
  });
  const stream = consumer.stream();
  await consumer.opened;
  const producer = new RelayProducer({
    url,
    channel: id,
    token: tokens.produce,
  });
  await producer.status("running", { node: "n1" });
  await producer.token("Hello");
  await producer.data({ a: 1 });
  await producer.token(" \u2028world\n");
  await producer.done({ usage: { total_tokens: 2 } });
  const events: StreamEvent[] = [];
  for await (const event of stream.events()) events.push(event);
  assertEquals(events.map(({ type }) => type), [
    "status",
    "token",
    "data",
    "token",
    "done",
  ]);
  assertEquals(stream.job, { node: "n1", state: "running" });
  assertEquals((await stream.result).usage, { total_tokens: 2 });
  const { end, claims } = await control.info(id);
  assertEquals([end?.kind, claims[0].next], ["done", 5]);
});

relayTest("relay - a stream can be left and come back to", async ({ url, secret, control }) => {
  const { id } = await control.createChannel();
  const at = { url, channel: id, token: secret };
  await send(new RelayProducer(at), words(10));
  const first = new RelayConsumer(at).stream();
  const iterator = first.events();
  for (let i = 0; i < 10; i++) await iterator.next();
  await iterator.return();
  const { resumeToken } = first;
  const second = new RelayConsumer({ url, token: secret, resumeToken });
  const rest = await second.stream().text();
  assert(words(10).join("").endsWith(rest));
  const beyond = new RelayConsumer({ ...at, from: 5 }).stream();
  const [one, two] = beyond.tee();
  assertEquals(await one.text(), words(10).slice(5).join(""));
  assertEquals(await two.text(), words(10).slice(5).join(""));
});

relayTest(
  "relay - a cancel reaches the producer, and the stream ends quietly",
  async ({ url, secret, control }) => {
    const { id } = await control.createChannel();
    const at = { url, channel: id, token: secret };
    const stream = new RelayConsumer(at).stream();
    let returned = false;
    const producer = new RelayProducer(at);
    const piped = producer.pipe((async function* () {
      try {
        yield await Promise.resolve("a");
        await new Promise((resolve) => producer.signal.addEventListener("abort", resolve));
      } finally {
        returned = true;
      }
    })());
    let text = "";
    for await (const token of stream) {
      text += token;
      assertEquals(await stream.cancel("enough"), "producer");
    }
    await piped;
    assertEquals([text, returned], ["a", true]);
    assertEquals((await stream.result).reason, "cancelled");
    assertEquals((await control.info(id)).cancel?.reason, "enough");
  },
);

relayTest(
  "relay - a token that may not cancel is told so, and reads on",
  async ({ url, control }) => {
    const { id, tokens } = await control.createChannel();
    const at = { url, channel: id };
    const consumer = new RelayConsumer({ ...at, token: tokens.consume });
    const stream = consumer.stream();
    await consumer.opened;
    const error = await assertRejects(() => stream.cancel(), StreamError);
    assertEquals(error.code, "forbidden");
    await send(new RelayProducer({ ...at, token: tokens.produce }), ["a"]);
    assertEquals(await stream.text(), "a");
  },
);

relayTest("relay - the newest producer wins", async ({ url, secret, control }) => {
  const { id } = await control.createChannel();
  const at = { url, channel: id, token: secret };
  const old = new RelayProducer(at);
  await old.connect();
  const fenced = new Promise((resolve) => old.signal.addEventListener("abort", resolve));
  const young = new RelayProducer(at);
  await young.connect();
  await fenced;
  const error = await assertRejects(() => old.token("x"), StreamError);
  assertEquals(error.code, "fenced");
  await send(young, ["a"]);
  assertEquals(await new RelayConsumer(at).stream().text(), "a");
});

relayTest(
  "relay - the supervisor hears the producer and sets a failing end",
  async ({ url, control }) => {
    const { id, tokens } = await control.createChannel();
    const at = { url, channel: id };
    const states: string[] = [];
    const ended = new Promise<ChannelEnd>((resolve) => {
      const supervisor = new RelaySupervisor({
        ...at,
        token: tokens.supervise,
        onEnd: resolve,
        onStatus: ({ state }) => {
          states.push(state);
          if (state === "failing") {
            control.end(id, { kind: "error", code: "oom", message: "Out" });
          }
        },
      });
      supervisor.connect().then(async () => {
        supervisor.status({ state: "queued", position: 3 });
        const producer = new RelayProducer({ ...at, token: tokens.produce });
        await producer.token("a");
        await producer.fail({ code: "job_failed", message: "Exit 1" });
      });
    });
    const stream = new RelayConsumer({ ...at, token: tokens.consume }).stream();
    const error = await assertRejects(() => stream.text(), StreamError);
    assertEquals([error.code, error.message], ["oom", "Out"]);
    assertEquals((await ended).code, "oom");
    assertEquals(states.slice(0, 2), ["connected", "failing"]);
  },
);

relayTest(
  "relay - wrong credentials, channels and offsets are typed errors",
  async ({ url, secret, control }) => {
    const { id, tokens } = await control.createChannel();
    const cases: [Record<string, unknown>, string[]][] = [
      [{ channel: id, token: "wrong" }, ["unauthorized"]],
      [{ channel: id, token: "" }, ["unauthorized"]],
      [{ channel: id, token: tokens.produce }, ["forbidden"]],
      [{ channel: id, token: secret, from: 9 }, ["bad_offset"]],
      [{ channel: "nobodys", token: tokens.consume }, [
        "forbidden",
        "not_found",
      ]],
    ];
    for (const [options, codes] of cases) {
      const stream = new RelayConsumer({ url, ...options }).stream();
      const { reason } = await stream.drain();
      assert(codes.includes(reason), `${JSON.stringify(codes)}: ${reason}`);
    }
    await control.delete(id);
    const producer = new RelayProducer({
      url,
      channel: id,
      token: tokens.produce,
    });
    const error = await assertRejects(() => producer.connect(), StreamError);
    assert(["expired", "not_found"].includes(error.code), error.code);
  },
);

relayTest(
  "relay - a consumer is told when its channel is deleted",
  async ({ url, secret, control }) => {
    const { id } = await control.createChannel();
    const consumer = new RelayConsumer({ url, channel: id, token: secret });
    const stream = consumer.stream();
    await consumer.opened;
    await control.delete(id);
    assertEquals((await stream.drain()).reason, "expired");
  },
);

relayTest("relay - v1 on our relay, plain and encrypted", async ({ url, secret, control }) => {
  for (const key of ["", generateKey()]) {
    for (
      const [from, to] of [["v1", "v1"], ["v1", "v2"], ["v2", "v1"]] as const
    ) {
      const { id } = await control.createChannel();
      const encryption = key ? "v1" as const : undefined;
      const at = { url, channel: id, token: secret, key, encryption };
      const stream = new RelayConsumer({ ...at, protocol: to }).stream();
      await send(new RelayProducer({ ...at, protocol: from }), words(50));
      assertEquals(await stream.text(), words(50).join(""));
    }
  }
});

relayTest("relay - v1 errors arrive as errors", async ({ url, secret, control }) => {
  for (const key of ["", generateKey()]) {
    const { id } = await control.createChannel();
    const at = { url, channel: id, token: secret, key };
    const stream = new RelayConsumer({ ...at, protocol: "v1" }).stream();
    const producer = new RelayProducer({ ...at, protocol: "v1" });
    await producer.token("a");
    await producer.fail(new StreamError("oom", "Out"));
    assertEquals((await stream.drain()).reason, "oom");
  }
});

relayTest("relay - the control API makes, claims, writes and ends", async ({ url, control }) => {
  assertEquals((await control.health()).status, "healthy");
  const prefix = `p${crypto.randomUUID().slice(0, 8)}-`;
  const { id, tokens, incarnation } = await control.createChannel({
    id: `${prefix}1`,
  });
  assertEquals((await control.list(prefix)).map((one) => one.id), [id]);
  const job = new ControlClient({ url, token: tokens.produce });
  const boss = new ControlClient({ url, token: tokens.supervise });
  assertEquals(await job.getInput(id), undefined);
  await boss.putInput(id, "Hello");
  assertEquals(new TextDecoder().decode(await job.getInput(id)), "Hello");
  await boss.status(id, { state: "queued" });
  const claim = await job.claim(id, { instance: "me" });
  assertEquals([claim.epoch, claim.next, claim.incarnation], [
    1,
    0,
    incarnation,
  ]);
  const writer = { instance: "me", epoch: 1 };
  const first = await job.records(id, {
    ...writer,
    seq: 0,
    body: "Hi",
    contentType: "text/plain",
  });
  assertEquals(first.next, 1);
  assertEquals((await job.records(id, { ...writer, seq: 1 })).next, 1);
  const { ack } = await boss.cancel(id, "enough");
  assert(["recorded", "producer"].includes(ack));
  const gap = await assertRejects(
    () => job.records(id, { ...writer, seq: 7, body: "{}" }),
    StreamError,
  );
  assertEquals([gap.code, gap.details.expected], ["seq_gap", 1]);
  assert((await boss.lease(id, 60)).leaseUntil > 0);
  const { end } = await boss.end(id, { kind: "error", code: "oom" });
  assertEquals([end.by, end.code], ["supervisor", "oom"]);
  await assertRejects(() => boss.end(id, { kind: "done" }), StreamError);
  const denied = await assertRejects(() => job.list(), StreamError);
  assertEquals(denied.code, "forbidden");
});

test("relay - one that is not there is named", async () => {
  const url = "ws://127.0.0.1:49";
  const control = new ControlClient({ url, token: "t" });
  const http = await assertRejects(() => control.health(), StreamError);
  assertEquals(http.code, "unreachable");
  assert(http.message.startsWith("Cannot reach relay ws://127.0.0.1:49: "));
  const producer = new RelayProducer({
    url,
    channel: "c",
    token: "t",
    retry: { giveUpAfter: 0 },
  });
  const socket = await assertRejects(() => producer.connect(), StreamError);
  assertEquals(socket.code, "unreachable");
  assert(socket.message.startsWith("Cannot reach relay ws://127.0.0.1:49: "));
});
