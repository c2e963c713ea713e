/**
 * Streams whose producer processes are killed and restarted at random, and some of them stopped, replaced
 * and woken again: no loss, no double, order kept, no false end, and no word of a zombie.
 *
 * `FAULTS_PRODUCERS` says how many streams (4 by default), `FAULTS_SEED` repeats a run.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { assert, assertEquals } from "@std/assert";
import { ControlClient, RelayConsumer } from "../../client/mod.ts";
import { openSqliteStore, type Relay, serveRelay } from "../../server/mod.ts";
import { generateKey } from "../../stream/mod.ts";
import { check, type History } from "./history.ts";
import { ProducerProcess } from "./producer_process.ts";
import { type Random, random } from "./random.ts";

const STREAMS = Number(Deno.env.get("FAULTS_PRODUCERS") ?? 4);
const WORDS = 500;

interface Fates {
  killed: number;
  woken: number;
}

/** Writes one stream by one process after the other, until one of them gets to its end. */
async function writeStream(
  relay: Relay,
  control: ControlClient,
  history: History,
  chance: Random,
  key: string,
): Promise<Fates> {
  const { id: channel, tokens } = await control.createChannel({ keyed: key !== "" });
  const address = { url: relay.url, channel, key };
  const reading = read(history, new RelayConsumer({ ...address, token: tokens.consume }));
  const fates: Fates = { killed: 0, woken: 0 };
  /** Words that stand, of the attempt that is going on. */
  let written = 0;
  const begin = async (goesOn: boolean): Promise<ProducerProcess> => {
    const { epoch, next } = (await control.info(channel)).claims.at(-1) ?? { epoch: 0, next: 0 };
    const from = goesOn ? written + next : 0;
    const words = Array.from({ length: WORDS - from }, (_, i) => String(from + i));
    try {
      const producer = await ProducerProcess.begin({
        ...address,
        token: tokens.produce,
        ...(goesOn && { continues: { epoch, count: next } }),
        words,
        pace: 2,
        then: "done",
      });
      written = from;
      return producer;
    } catch (error) {
      // words of the one that was killed were still under way
      if (goesOn && String(error).includes("seq_gap")) return await begin(true);
      throw error;
    }
  };
  let zombie: ProducerProcess | undefined;
  let goesOn = false;
  for (let left = chance.between(1, 3);; left--) {
    const producer = await begin(goesOn);
    if (zombie) {
      // it must learn that its time is over
      zombie.signal("SIGCONT");
      await zombie.says("fenced");
      await zombie.kill();
      zombie = undefined;
      fates.woken++;
    }
    if (left > 0) await delay(chance.between(0, 400));
    const last = chance.next();
    const stopped = last < 0.4;
    if (left > 0 && stopped) producer.signal("SIGSTOP");
    else if (left > 0) await producer.kill();
    if (left === 0 || (await control.info(channel)).end) {
      producer.signal("SIGCONT");
      if (left === 0 || stopped) await producer.says("done");
      await producer.kill();
      break;
    }
    if (stopped) zombie = producer;
    else fates.killed++;
    // after one that is only stopped, or whose place in the text nobody can know, it starts over
    goesOn = key === "" && last >= 0.7;
  }
  await reading;
  return fates;
}

async function read(history: History, consumer: RelayConsumer): Promise<void> {
  const stream = consumer.stream();
  for await (const event of stream.events()) {
    if (event.type === "token") history.read.push(Number(event.content));
    // a job that started over voids what was read before
    else if (event.type === "status" && event.state === "restarted") history.read = [];
  }
  history.result = await stream.result;
}

for (const key of ["", generateKey()]) {
  const what = key ? "encrypted" : "plain";
  Deno.test(`faults - ${STREAMS} ${what} streams whose producers are killed, stopped and woken`, async () => {
    const chance = random();
    const path = await Deno.makeTempDir();
    const secret = generateKey();
    const store = await openSqliteStore({ path, sync: "normal" });
    const relay = await serveRelay({ port: 0, secret, store });
    const control = new ControlClient({ url: relay.url, token: secret });
    try {
      const fates: Fates = { killed: 0, woken: 0 };
      const histories: History[] = [];
      for (let stream = 0; stream < STREAMS; stream++) {
        const history: History = { stream, written: WORDS, intent: "done", read: [] };
        histories.push(history);
        const { killed, woken } = await writeStream(relay, control, history, chance, key);
        fates.killed += killed;
        fates.woken += woken;
      }
      const { complaints, ...counts } = check(histories);
      console.log(`${what}: seed ${chance.seed}`, fates, counts);
      assertEquals(complaints, [], `seed ${chance.seed}`);
      assert(fates.killed + fates.woken > 0);
    } finally {
      await relay.close();
      await Deno.remove(path, { recursive: true });
    }
  });
}
