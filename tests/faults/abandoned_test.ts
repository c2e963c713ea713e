/**
 * Channels that are abandoned at every stage leave nothing behind: no channel, no timer, no socket.
 *
 * `FAULTS_ABANDONED` says how many (1,000 by default; 10,000 in `deno task test:faults`). Timers and
 * sockets are counted by Deno's own sanitizers, which fail a test that leaves one.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { ControlClient } from "../../client/mod.ts";
import { MemoryStore, serveRelay } from "../../server/mod.ts";
import { RawSocket } from "../tools/raw_socket.ts";
import { until } from "../tools/until.ts";

const channels = Number(Deno.env.get("FAULTS_ABANDONED") ?? 1000);

/** What a stage has to work with. */
interface Stage {
  url: string;
  control: ControlClient;
  id: string;
  tokens: Record<"produce" | "consume" | "supervise" | "cancel", string>;
}

async function greeted(
  { url, id }: Stage,
  role: string,
  auth: string,
  more: object = {},
): Promise<RawSocket> {
  const socket = await RawSocket.open(`${url}/v2/${role}/${id}`);
  socket.send({ hello: { v: 2, auth, ...more } });
  await socket.next();
  return socket;
}

async function left(socket: RawSocket): Promise<void> {
  socket.close();
  await socket.closed;
}

const TOKEN = '{"type":"token","content":"x"}';

/** Each leaves a channel in the middle of something. */
const STAGES: Record<string, (stage: Stage) => Promise<void>> = {
  "made": async () => {},
  "with an input": ({ control, id }) => control.putInput(id, "prompt"),
  "a lease": async ({ control, id }) => void await control.lease(id, 0.01),
  "a consumer that waited": async (stage) =>
    left(await greeted(stage, "consume", stage.tokens.consume)),
  "a producer that said nothing": async (stage) =>
    left(await greeted(stage, "produce", stage.tokens.produce, { instance: "p" })),
  "a producer that broke off": async (stage) => {
    const socket = await greeted(stage, "produce", stage.tokens.produce, { instance: "p" });
    socket.send(`{"n":1,"e":1,"s":0}\n${TOKEN}`);
    await socket.next();
    await left(socket);
  },
  "a claim over HTTP": async ({ control, id }) => {
    await control.claim(id, { instance: "p" });
    await control.records(id, { instance: "p", epoch: 1, seq: 0, body: TOKEN });
  },
  "a supervisor": async (stage) =>
    left(
      await greeted(stage, "supervise", stage.tokens.supervise, {
        lease: 0.01,
        onDisconnect: { pending: 0.01, running: 0.01 },
      }),
    ),
  "a cancel": async ({ control, id }) => void await control.cancel(id),
  "an end nobody read": async ({ control, id }) =>
    void await control.end(id, { kind: "error", code: "oom", message: "m" }),
  "a hello that never came": async ({ url, id }) =>
    left(await RawSocket.open(`${url}/v2/consume/${id}`)),
};

Deno.test(`faults - ${channels} channels abandoned at every stage leave nothing`, async () => {
  const store = new MemoryStore();
  const secret = crypto.randomUUID();
  const relay = await serveRelay({
    port: 0,
    secret,
    store,
    channelTimeout: 0.2,
    retention: 0.2,
    producerGrace: 0.05,
    leaseGrace: 0.05,
    postTimeout: 0.1,
    authTimeout: 0.5,
    sweepInterval: 0.05,
  });
  try {
    const creator = new ControlClient({ url: relay.url, token: secret });
    const stages = Object.values(STAGES);
    let begun = 0;
    const worker = async () => {
      while (begun < channels) {
        const act = stages[begun++ % stages.length];
        const { id, tokens } = await creator.createChannel();
        const control = new ControlClient({ url: relay.url, token: secret });
        try {
          await act({ url: relay.url, control, id, tokens });
        } catch (error) {
          // times are so short that a slow machine may lose a channel in the middle of its stage
          if (!/gone|no channel|expired/.test(String(error))) throw error;
        }
      }
    };
    await Promise.all(Array.from({ length: 20 }, worker));
    await until("every channel to go", async () => (await store.list()).length === 0);
    assertEquals(relay.activeChannels, 0);
  } finally {
    await relay.close();
  }
});
