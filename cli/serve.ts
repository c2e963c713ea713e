/** `streamrelay serve`: the relay. @module */
import { isLoopback, removeRelayRecord, writeRelayRecord } from "../adapters/relay/relay_record.ts";
import { statePath, stateSecret } from "../adapters/state_folder.ts";
import {
  type AuditFile,
  jsonLogger,
  LOG_LEVELS,
  type Logger,
  openAuditFile,
  type Relay,
  type RelayOptions,
  serveRelay,
} from "../server/mod.ts";
import type { Command, Flag } from "./command.ts";
import type { Given } from "./given.ts";
import { environmentSecret, secretFlags, typedSecret } from "./secret_of.ts";
import { storeFlags, storeOf } from "./store_of.ts";
import { untilStopped } from "./until_stopped.ts";
import { UsageError } from "./usage_error.ts";

function flag(name: string, value: string, help: string): Flag {
  const variable = name.replaceAll("-", "_").toUpperCase();
  return { name, value, help, env: [`STREAMRELAY_${variable}`] };
}

/** The subcommand. */
export const command: Command = {
  name: "serve",
  summary: "Start a relay, where producers and consumers meet.",
  synopsis: "[FLAGS]",
  about: `Without a secret it uses this user's own: made at the first use, 0600, in the state
folder, where the same user's commands on this machine find it. Channels are kept there
too, and a relay that is started again goes on where the last one was. What happens is
logged to stderr as JSON lines, without secrets. SIGTERM and SIGINT stop it: no new
channels from then on, after --drain clients are told to come back later, and the exit
code is 0; a second signal stops it at once. With --audit, SIGHUP opens that file anew.`,
  flags: [
    flag("host", "HOST", "Address to listen on; 127.0.0.1 by default"),
    flag("port", "PORT", "Port to listen on, 0 for any; 8765 by default"),
    ...secretFlags("secret", "The root secret", [
      "STREAMRELAY_SECRET",
      "RELAY_SECRET",
    ]),
    {
      name: "insecure",
      help: "Ask nobody for a credential; on loopback only",
      env: ["STREAMRELAY_INSECURE"],
    },
    // STREAMRELAY_KEY is the key of end-to-end encryption
    {
      name: "cert",
      value: "FILE",
      help: "TLS certificate chain, PEM",
      env: ["STREAMRELAY_TLS_CERT"],
    },
    {
      name: "key",
      value: "FILE",
      help: "TLS key, PEM",
      env: ["STREAMRELAY_TLS_KEY"],
    },
    flag("transport", "NAME", "deno (default on loopback) or ws (elsewhere)"),
    ...storeFlags,
    flag("max-buffer", "SIZE", "Most bytes a channel holds; 1G by default, 64M in memory"),
    flag("when-full", "WHAT", "What a full channel does: end (default) or drop-oldest"),
    flag("max-message", "SIZE", "Largest message; 256K by default"),
    flag(
      "channel-timeout",
      "TIME",
      "Life of a channel that nobody uses; 24h by default",
    ),
    flag("retention", "TIME", "Life of a channel after its end; 24h by default"),
    flag(
      "producer-grace",
      "TIME",
      "How long a producer may be away, unsupervised; 60s by default",
    ),
    flag(
      "lease-grace",
      "TIME",
      "How long a supervisor's lease counts after it ran out; 60s by default",
    ),
    flag(
      "post-timeout",
      "TIME",
      "How long an HTTP producer may be silent; 45s by default",
    ),
    flag(
      "auth-timeout",
      "TIME",
      "How long a client may take to say who it is; 10s by default",
    ),
    flag("drain", "TIME", "How long streams may go on once it was told to stop; 0 by default"),
    flag("idle-exit", "TIME", "Stop after so long unused; never by default"),
    flag(
      "channels-per-token",
      "N",
      "Most channels a create token may hold; 1000 by default",
    ),
    flag(
      "allowed-origins",
      "LIST",
      "Origins whose pages may connect, with commas; all by default",
    ),
    flag("audit", "FILE", "Append who did what with which channel, a JSON line each, no content"),
    flag("log-level", "LEVEL", "debug, info (default), warn or error"),
  ],
  examples: [
    ["streamrelay serve", "a relay for this user on this machine"],
    [
      "streamrelay serve --host 0.0.0.0 --cert cert.pem --key key.pem --secret-file secret",
      "one that others reach, with TLS",
    ],
    ["streamrelay --port 0 --idle-exit 10m", "any port, gone when unused"],
  ],
  exits: [
    [0, "it was stopped, or nobody used it for --idle-exit"],
    [24, "it can't listen there, or not use that store: another relay does, say"],
  ],
  run,
};

async function run(given: Given): Promise<number> {
  const secret = await secretFor(given);
  const options = await relayOptions(given, secret.value);
  using audit = auditOf(given, options.log);
  const store = await storeOf(given);
  const relay = await serveRelay({ ...options, store, audit: audit?.write }).catch(
    async (error) => {
      // its thread would keep this process
      await store?.close();
      throw error;
    },
  );
  const name = `${Deno.hostname()}-${relay.port}`;
  try {
    await writeRelayRecord(name, {
      url: reachable(relay),
      secret: secret.value ?? "",
      pid: Deno.pid,
      started: Date.now(),
      embedded: false,
    });
    // listening to signals comes first: whoever waits for the words may send one at once
    const stopped = untilStopped(relay);
    console.log(`Relay at ${relay.url}, ${secret.where}`);
    await stopped;
  } finally {
    await relay.close();
    await removeRelayRecord(name, Deno.pid);
  }
  return 0;
}

/** The audit log; whoever rotates it says so by SIGHUP. */
function auditOf(given: Given, log: Logger | undefined): AuditFile | undefined {
  const path = given.text("audit");
  if (path === undefined) return undefined;
  const audit = openAuditFile(path, log);
  Deno.addSignalListener("SIGHUP", () => audit.reopen());
  return audit;
}

async function secretFor(
  given: Given,
): Promise<{ value?: string; where: string }> {
  const secret = await typedSecret(given, "secret") ??
    await environmentSecret(given, "secret");
  if (given.on("insecure")) {
    if (secret === undefined) return { where: "open to all of this machine" };
    throw new UsageError(
      "Cannot serve --insecure with a secret: expected one of them",
    );
  }
  if (secret !== undefined) return { value: secret, where: "secret as given" };
  return {
    value: await stateSecret(),
    where: `secret in ${statePath()}/secret (readable by you alone)`,
  };
}

async function relayOptions(
  given: Given,
  secret: string | undefined,
): Promise<RelayOptions> {
  const port = given.number("port");
  if (port !== undefined && port > 65_535) {
    throw new UsageError(`Cannot listen on port ${port}: expected 0 to 65535`);
  }
  const origins = given.text("allowed-origins");
  return {
    hostname: given.text("host"),
    port,
    secret,
    insecure: given.on("insecure"),
    transport: given.choice<"deno" | "ws">("transport", ["deno", "ws"]),
    cert: await pem(given, "cert"),
    key: await pem(given, "key"),
    maxBuffer: given.bytes("max-buffer"),
    whenFull: given.choice("when-full", ["end", "drop-oldest"]),
    maxMessage: given.bytes("max-message"),
    channelTimeout: given.seconds("channel-timeout"),
    retention: given.seconds("retention"),
    producerGrace: given.seconds("producer-grace"),
    leaseGrace: given.seconds("lease-grace"),
    postTimeout: given.seconds("post-timeout"),
    authTimeout: given.seconds("auth-timeout"),
    drainTime: given.seconds("drain"),
    idleExit: given.seconds("idle-exit"),
    channelsPerToken: given.number("channels-per-token"),
    allowedOrigins: origins?.split(",").map((origin) => origin.trim()),
    log: jsonLogger({
      level: given.choice("log-level", LOG_LEVELS),
      secrets: secret === undefined ? [] : [secret],
    }),
  };
}

async function pem(given: Given, name: string): Promise<string | undefined> {
  const path = given.text(name);
  if (path === undefined) return undefined;
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound ? "there is no such file" : String(error);
    throw new UsageError(
      `Cannot read --${name} ${path}: ${why}, expected a PEM file`,
    );
  }
}

/** The URL for this user's other commands, and jobs: nobody connects to 0.0.0.0. */
function reachable(relay: Relay): string {
  if (relay.hostname !== "0.0.0.0" && relay.hostname !== "::") return relay.url;
  const outer = Deno.networkInterfaces().find(({ family, address }) =>
    family === "IPv4" && !isLoopback(`ws://${address}`)
  );
  const url = new URL(relay.url);
  url.hostname = outer?.address ?? "127.0.0.1";
  return url.href.replace(/\/$/, "");
}
