/**
 * A relay that is drained and started anew under streams: every client comes back, by itself or, in
 * another process, by its resume token, and nothing is lost.
 *
 * `FAULTS_DRAINED` says how many streams (200 by default).
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { ControlClient, RelayConsumer, RelayProducer } from "../../client/mod.ts";
import { generateKey, type TokenStream } from "../../stream/mod.ts";
import { check, type History } from "./history.ts";
import { random } from "./random.ts";
import { RelayProcess } from "./relay_process.ts";
import type { LeftOff } from "./resume_child.ts";

const STREAMS = Number(Deno.env.get("FAULTS_DRAINED") ?? 200);
const RETRY = { base: 5, cap: 100, giveUpAfter: 60_000 };

/** One stream, and how far it is. */
interface Running {
  history: History;
  producer: RelayProducer;
  /** Resolved once its reader is at the end, or has left, with where it did. */
  reading: Promise<LeftOff | undefined>;
  /** Whether its reader leaves before the relay goes. */
  leaves: boolean;
}

Deno.test(`drain - ${STREAMS} streams over two restarts of the relay`, async () => {
  const chance = random();
  const secret = generateKey();
  const folder = await Deno.makeTempDir();
  const relay = new RelayProcess({ secret, folder });
  await relay.start();
  try {
    const control = new ControlClient({ url: relay.url, token: secret });
    const running = await Promise.all(
      Array.from({ length: STREAMS }, async (_, stream): Promise<Running> => {
        const { id: channel, tokens } = await control.createChannel();
        const key = stream % 2 ? generateKey() : "";
        const address = { url: relay.url, channel, key, retry: RETRY };
        const consumer = new RelayConsumer({ ...address, token: tokens.consume });
        const events = consumer.stream();
        const history: History = { stream, written: 0, intent: "done", read: [] };
        const producer = new RelayProducer({ ...address, token: tokens.produce });
        // every third one's consumer goes before the relay does
        const leaves = stream % 3 === 0;
        const limit = leaves ? chance.between(1, 90) : Infinity;
        const reading = follow(events, history, limit).then((resumeToken) =>
          resumeToken ? { url: relay.url, token: tokens.consume, resumeToken, key } : undefined
        );
        return { history, producer, reading, leaves };
      }),
    );
    const write = (count: number) =>
      Promise.all(running.map(async ({ producer, history }) => {
        for (let i = 0; i < count; i++) await producer.token(String(history.written++));
      }));
    await write(100);
    const leaving = running.filter(({ leaves }) => leaves);
    const left = await Promise.all(leaving.map(async ({ reading }) => (await reading)!));

    // in the middle of what is written, and nobody waits for anybody
    const [code] = await Promise.all([relay.stop(), write(chance.between(50, 200))]);
    assertEquals(code, 0);
    await Promise.all([relay.start(), write(100)]);
    const again = await fetch(`http://127.0.0.1:${relay.port}/v1/drain`, {
      method: "POST",
      headers: { authorization: `Bearer ${secret}` },
    });
    assertEquals(again.status, 202);
    await again.body?.cancel();
    assertEquals(await relay.ended(), 0);
    await Promise.all([relay.start(), write(100)]);

    const taken = takeUp(left);
    await Promise.all(running.map(({ producer }) => producer.done()));
    await Promise.all(running.map(({ reading }) => reading));
    for (const [index, { tokens, reason }] of (await taken).entries()) {
      const { history } = leaving[index];
      history.read.push(...tokens);
      history.result = { reason, job: {} } as History["result"];
    }
    const { complaints, ...counts } = check(running.map(({ history }) => history));
    const tokens = running.reduce((sum, { history }) => sum + history.read.length, 0);
    console.log(`seed ${chance.seed}, ${tokens} tokens, ${left.length} by resume token`, counts);
    assertEquals(complaints, [], `seed ${chance.seed}`);
  } finally {
    await relay.stop();
    await Deno.remove(folder, { recursive: true });
  }
});

/** Reads to the end, or so many tokens; then it says where it left. */
async function follow(
  stream: TokenStream,
  history: History,
  limit: number,
): Promise<string | undefined> {
  for await (const event of stream.events()) {
    if (event.type === "token") history.read.push(Number(event.content));
    if (history.read.length >= limit) return stream.resumeToken;
  }
  history.result = await stream.result;
}

/** Goes on with what was left, in another process. */
async function takeUp(left: LeftOff[]): Promise<{ tokens: number[]; reason: string }[]> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", new URL("./resume_child.ts", import.meta.url).href],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify(left)));
  await writer.close();
  const { stdout } = await child.output();
  return JSON.parse(new TextDecoder().decode(stdout));
}
