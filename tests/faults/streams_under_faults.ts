/**
 * Many streams through proxies that misbehave, over a relay that is killed.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { ControlClient, RelayConsumer, RelayProducer } from "../../client/mod.ts";
import { tcpProxy } from "../tools/tcp_proxy.ts";
import { disturb, type Disturbances } from "./disturb.ts";
import type { History, Intent } from "./history.ts";
import type { Random } from "./random.ts";
import type { RelayProcess } from "./relay_process.ts";

/** What {@linkcode streamUnderFaults} is told. */
export interface FaultOptions {
  /** The relay. */
  relay: RelayProcess;
  /** Its root secret. */
  secret: string;
  /** How many streams. */
  streams: number;
  /** How many at a time. */
  atOnce: number;
  /** How often the relay is killed. */
  kills: number;
  /** The key, for encrypted streams. */
  key?: string;
  /** Chance. */
  random: Random;
}

const RETRY = { base: 5, cap: 100, giveUpAfter: 60_000 };
/** How long a connection may be silent. */
const PATIENCE = { connectTimeout: 1000, ackTimeout: 2000, pingAfter: 500 };

/**
 * Runs the streams.
 *
 * @param options How many, and what happens to them.
 * @returns Their histories, and what happened to them.
 */
export async function streamUnderFaults(
  options: FaultOptions,
): Promise<{ histories: History[]; disturbances: Disturbances }> {
  const { relay, random, streams, atOnce } = options;
  const [producers, consumers] = await Promise.all([
    tcpProxy({ to: relay.port }),
    tcpProxy({ to: relay.port }),
  ]);
  const histories: History[] = Array.from({ length: streams }, (_, stream) => ({
    stream,
    written: random.between(200, 2000),
    intent: intentOf(random),
    read: [],
  }));
  let begun = 0;
  let ended = 0;
  const worker = async () => {
    while (begun < streams) {
      await runStream(histories[begun++], options, producers.port, consumers.port);
      ended++;
    }
  };
  const work = Promise.all(Array.from({ length: atOnce }, worker));
  const over = work.then(() => true, () => true);
  // awaited below, whatever becomes of the work
  const disturbing = disturb([producers, consumers], random, over);
  const killing = kill(options, () => ended, over);
  try {
    await work;
    return { histories, disturbances: await disturbing };
  } finally {
    await Promise.all([disturbing, killing]);
    await Promise.all([producers.close(), consumers.close()]);
  }
}

function intentOf(random: Random): Intent {
  const chance = random.next();
  return chance < 0.9 ? "done" : chance < 0.97 ? "fail" : "vanish";
}

async function runStream(
  history: History,
  { relay, secret, key, random }: FaultOptions,
  producerPort: number,
  consumerPort: number,
): Promise<void> {
  const control = new ControlClient({ url: `ws://127.0.0.1:${relay.port}`, token: secret });
  // the relay may be down at this moment: whoever makes a channel has to ask again
  const { id: channel, tokens } = await persist(() => control.createChannel());
  const at = (port: number) => `ws://127.0.0.1:${port}`;
  const shared = { channel, key: key ?? "", retry: RETRY, ...PATIENCE };
  const consumer = new RelayConsumer({ ...shared, url: at(consumerPort), token: tokens.consume });
  const stream = consumer.stream();
  const reading = (async () => {
    for await (const event of stream.events()) {
      if (event.type === "token") history.read.push(Number(event.content));
    }
    history.result = await stream.result;
  })();
  const producer = new RelayProducer({
    ...shared,
    url: at(producerPort),
    token: tokens.produce,
    // as where no WebSocket gets through
    protocol: random.next() < 0.2 ? "http" : "auto",
  });
  await write(history, producer, random).catch((error) => history.refused = String(error));
  await reading;
}

async function write(history: History, producer: RelayProducer, random: Random): Promise<void> {
  for (let token = 0; token < history.written; token++) {
    await producer.token(String(token));
    // the pace of a fast model, so that cuts fall between tokens as well as into them
    if (token % 50 === 49) await delay(random.between(1, 10));
  }
  if (history.intent === "done") await producer.done();
  else if (history.intent === "fail") await producer.fail(new Error("meant to"));
  else await producer.close();
}

async function persist<T>(task: () => Promise<T>): Promise<T> {
  for (let left = 200;; left--) {
    try {
      return await task();
    } catch (error) {
      if (left === 0) throw error;
      await delay(50);
    }
  }
}

/** Kills the relay, spread evenly over the streams. */
async function kill(
  { relay, kills, streams }: FaultOptions,
  ended: () => number,
  over: Promise<boolean>,
): Promise<void> {
  for (let killed = 0; killed < kills;) {
    if (await Promise.race([over, delay(5).then(() => false)])) return;
    if (ended() < (killed + 0.5) * streams / kills) continue;
    await relay.kill();
    await relay.start();
    killed++;
  }
}
