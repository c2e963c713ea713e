/** `streamrelay check`: whether streaming through a relay works from here. @module */
import { RelayConsumer, RelayProducer } from "../client/mod.ts";
import { parseRelayUrls } from "../client/relay_url.ts";
import { CODES, type ErrorCode, generateKey, randomId, StreamError } from "../stream/mod.ts";
import { RELAY_FLAGS, relayAccess } from "./channel_address.ts";
import { openCheckChannel } from "./check_channel.ts";
import { checkWay, type Way } from "./check_way.ts";
import type { Command } from "./command.ts";
import type { Given } from "./given.ts";
import { say } from "./say.ts";

/** The subcommand. */
export const command: Command = {
  name: "check",
  summary: "Check a relay from here: plain, encrypted, with a wrong secret.",
  synopsis: "[URL] [FLAGS]",
  about: `Works with our relay and with the Python package's. Each line tells what worked; the
first failure decides the exit code.`,
  flags: [
    ...RELAY_FLAGS,
    {
      name: "timeout",
      value: "TIME",
      help: "How long each step may take; 10s by default",
    },
  ],
  positionals: 1,
  examples: [
    ["streamrelay check wss://relay.example.org --token-file t", "before a job depends on it"],
  ],
  exits: [
    [20, "the credential is wrong, or does not allow to make channels"],
    [21, "the relay can't be reached from here"],
    [23, "the relay is draining, or full: come back later"],
  ],
  run,
};

/** What a relay says of itself. */
const STATES = {
  healthy: "healthy",
  draining: "draining: it makes no new channels, and goes when those it has are over",
};

async function run(given: Given): Promise<number> {
  const [typed] = given.positionals;
  const { url, token } = await relayAccess(typed === undefined ? given : given.with("url", typed));
  const [first] = parseRelayUrls(url);
  const timeout = (given.seconds("timeout") ?? 10) * 1000;
  console.log(`Checking ${url} from ${Deno.hostname()}`);
  const report = new Report();

  const health = await report.step("reached", async () => {
    const { status, active_channels } = await healthOf(first, timeout);
    return `it is ${STATES[status]}; active channels: ${active_channels}`;
  });
  if (!health) return report.exit;

  let ours = false;
  const made = await report.step("credential", async () => {
    const channel = await openCheckChannel(url, token, timeout);
    ours = channel.ours;
    await channel.close();
    return ours
      ? "it is taken, and makes channels; the relay is one of ours"
      : "the relay has no control API: v1, as the Python package's";
  });
  if (!made) return report.exit;

  const way = { url, token, timeout };
  const ways: [string, Parameters<typeof checkWay>[0]][] = ours
    ? [
      ["plain", { ...way, protocol: "v2" }],
      ["encrypted", { ...way, protocol: "v2", key: generateKey() }],
      ["plain, v1", { ...way, protocol: "v1" }],
      ["encrypted, v1", { ...way, protocol: "v1", key: generateKey() }],
    ]
    : [
      ["plain", { ...way, protocol: "v1" }],
      ["encrypted", { ...way, protocol: "v1", key: generateKey() }],
    ];
  for (const [name, options] of ways) await report.step(name, () => checkWay(options));
  await report.step("wrong secret", () => wrongSecret({ ...way, protocol: ours ? "v2" : "v1" }));
  return report.exit;
}

/** Prints a line a step, and keeps the exit code of the first failure. */
class Report {
  exit = 0;

  async step(name: string, check: () => Promise<string>): Promise<boolean> {
    const label = name.padEnd(14);
    try {
      console.log(`ok      ${label} ${await check()}`);
      return true;
    } catch (error) {
      const { message, code } = StreamError.from(error, "unreachable");
      console.log(`FAILED  ${label} ${message} [${code}]`);
      if (this.exit === 0) this.exit = CODES[code].exit;
      return false;
    }
  }
}

/** Both relays tell their health over a WebSocket; only ours over HTTP, too. */
async function healthOf(
  url: string,
  timeout: number,
): Promise<{ status: keyof typeof STATES; active_channels: number }> {
  const failed = (code: ErrorCode, why: string) =>
    new StreamError(code, `Cannot reach a relay at ${url}: ${why}`);
  return await new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url}/health`);
    const timer = setTimeout(() => {
      reject(failed("timeout", `no answer within ${timeout} ms`));
      socket.close();
    }, timeout);
    socket.onmessage = ({ data }) => {
      clearTimeout(timer);
      socket.close();
      try {
        const health = JSON.parse(data);
        if (Object.hasOwn(STATES, health.status)) return resolve(health);
      } catch {
        // told below
      }
      reject(failed("unreachable", "what answers there is no relay"));
    };
    socket.onerror = (event) => {
      clearTimeout(timer);
      const { message } = event as ErrorEvent;
      reject(failed("unreachable", message || "the connection failed"));
    };
    // a relay closes so where the URL has a path that is none of its own
    socket.onclose = ({ code, reason }) => {
      clearTimeout(timer);
      const why = reason ? `${code} ${reason}` : code;
      reject(failed("unreachable", `what answers there closed the connection (${why})`));
    };
  });
}

/** What may not read must be refused before a word comes, or else gets the words. */
async function wrongSecret(way: Omit<Way, "key">): Promise<string> {
  const { url, protocol, timeout } = way;
  const channel = await openCheckChannel(url, way.token, timeout);
  const common = {
    url,
    channel: channel.id,
    protocol,
    key: "",
    connectTimeout: timeout,
    retry: { giveUpAfter: 0 },
    signal: AbortSignal.timeout(timeout),
  };
  const consumer = new RelayConsumer({ ...common, token: `wrong-${randomId()}` });
  const producer = new RelayProducer({ ...common, token: channel.produce });
  try {
    const read = consumer.stream().drain();
    await Promise.race([read, consumer.opened.catch(() => {})]);
    // in v1 only what comes next tells
    await producer.token("private").then(() => producer.done()).catch(() => {});
    const { error } = await read;
    if (error?.code === "unauthorized" || error?.code === "forbidden") {
      return "it is refused, as it must be";
    }
    if (error) throw error;
    say("Warning: the relay asks for no secret: everybody who reaches it can read and write");
    return "it was taken: the relay asks for none";
  } finally {
    consumer.close();
    await producer.close().catch(() => {});
    await channel.close();
  }
}
