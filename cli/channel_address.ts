/**
 * Which relay, which channel, which credential a command uses.
 *
 * @module
 */
import { findJobRecord, type SubmittedJob } from "../adapters/job/job_record.ts";
import { findLocalRelay } from "../adapters/relay/relay_record.ts";
import { parseRelayUrls } from "../client/relay_url.ts";
import { isChannelId } from "../stream/mod.ts";
import type { Flag } from "./command.ts";
import type { Given } from "./given.ts";
import { environmentSecret, secretFlags, typedSecret } from "./secret_of.ts";
import { UsageError } from "./usage_error.ts";

/** `--url`, and a credential for the relay there. */
export const RELAY_FLAGS: readonly Flag[] = [
  {
    name: "url",
    value: "URL",
    help: "The relay; one of this user's on this machine by default",
    env: ["STREAMRELAY_URL", "RELAY_URL"],
  },
  ...secretFlags("token", "A token, or the relay's root secret", [
    "STREAMRELAY_TOKEN",
    "RELAY_SECRET",
  ]),
];

/** What leads to a channel. */
export const CHANNEL_FLAGS: readonly Flag[] = [
  ...RELAY_FLAGS.slice(0, 1),
  {
    name: "channel",
    value: "ID",
    help: "The channel",
    env: ["STREAMRELAY_CHANNEL", "CHANNEL_ID"],
  },
  ...RELAY_FLAGS.slice(1),
  ...secretFlags("key", "The key of end-to-end encryption", [
    "STREAMRELAY_KEY",
    "RELAY_ENCRYPTION_KEY",
  ]),
  {
    name: "encryption",
    value: "VERSION",
    help: "v2 (default), or v1 with clients of the Python package",
  },
];

/** How patient a client is. */
export const PATIENCE_FLAG: Flag = {
  name: "give-up",
  value: "TIME",
  help:
    "How long to try without a connection; 10s for the first one and 10m after a cut, by default",
};

/**
 * A client's patience. A relay that can't be reached is most often named wrongly, so the first
 * connection is given little.
 *
 * @param given What was typed, of {@linkcode PATIENCE_FLAG}.
 * @returns For a client's options, in milliseconds.
 */
export function patience(given: Given): { giveUpAfter: number; firstGiveUpAfter: number } {
  const typed = given.seconds("give-up");
  return {
    giveUpAfter: (typed ?? 600) * 1000,
    firstGiveUpAfter: (typed ?? 10) * 1000,
  };
}

/** A relay, and what it accepts. */
export interface RelayAccess {
  /** Its URL. */
  url: string;
  /** A credential; none for a relay that asks for none. */
  token: string;
}

/** A channel, and what opens it. */
export interface ChannelAddress extends RelayAccess {
  /** Its id. */
  channel: string;
  /** Its key; `""` for none. */
  key: string;
  /** How it is encrypted, where that was said. */
  encryption?: "v1" | "v2";
}

/**
 * The relay that was named, or this user's own.
 *
 * @param given What was typed, of {@linkcode RELAY_FLAGS}.
 * @returns Relay and credential.
 * @throws {UsageError} Where no relay was named and none of this user's runs here.
 */
export async function relayAccess(given: Given): Promise<RelayAccess> {
  const url = given.text("url") ?? (await findLocalRelay())?.url;
  if (url === undefined) throw noRelay();
  return { url, token: await creatorToken(given, url) };
}

/**
 * What may make channels on a relay: what was typed; else what the environment says; else the secret of
 * this user's own relay. That comes before a token which `channel new --export` left in the environment:
 * it is for its own channel.
 *
 * @param given What was typed, of {@linkcode RELAY_FLAGS}.
 * @param url The relay.
 * @returns The credential; `""` for none.
 */
export async function creatorToken(given: Given, url: string): Promise<string> {
  const typed = await typedSecret(given, "token");
  if (typed !== undefined) return typed;
  const token = await environmentSecret(given, "token");
  const channel = Deno.env.get("STREAMRELAY_CHANNEL") ?? "";
  const record = token && isChannelId(channel) ? await findJobRecord(channel) : undefined;
  const exported = record !== undefined && record.tokens.produce === token;
  return (exported ? undefined : token) ?? (await ownSecret(url) || token || "");
}

/**
 * The channel that was named, with what opens it: what was typed; else, for a channel that was made from
 * here, its own token; else what the environment says; else the secret of this user's own relay.
 *
 * @param given What was typed, of {@linkcode CHANNEL_FLAGS}.
 * @param role What is to be done there.
 * @param channel The channel, where it was named in another way.
 * @returns Relay, channel, credential and key; `""` for none.
 * @throws {UsageError} Where a relay or a channel is missing.
 */
export async function channelAddress(
  given: Given,
  role: keyof SubmittedJob["tokens"],
  channel: string | undefined = given.text("channel"),
): Promise<ChannelAddress> {
  if (channel === undefined) {
    throw new UsageError(
      "No channel was given: expected --channel ID or STREAMRELAY_CHANNEL",
    );
  }
  const record = isChannelId(channel) ? await findJobRecord(channel) : undefined;
  const url = given.text("url") ?? record?.relay ??
    (await findLocalRelay())?.url;
  if (url === undefined) throw noRelay();
  const known = record?.channel === channel && same(record.relay, url)
    ? record.tokens[role]
    : undefined;
  const token = await typedSecret(given, "token") ?? known ??
    await environmentSecret(given, "token") ?? await ownSecret(url);
  return { url, channel, token, ...await keyOf(given) };
}

async function keyOf(given: Given): Promise<Pick<ChannelAddress, "key" | "encryption">> {
  const typed = await typedSecret(given, "key");
  const key = typed ?? await environmentSecret(given, "key") ?? "";
  // that variable is the Python package's, which knows nothing else
  const isPythons = typed === undefined && key === Deno.env.get("RELAY_ENCRYPTION_KEY") &&
    !Deno.env.get("STREAMRELAY_KEY");
  const encryption = given.choice("encryption", ["v1", "v2"]) ??
    (key !== "" && isPythons ? "v1" : undefined);
  return { key, ...(encryption && { encryption }) };
}

async function ownSecret(url: string): Promise<string> {
  for (const one of parseRelayUrls(url)) {
    const own = await findLocalRelay({ url: one });
    if (own !== undefined) return own.secret;
  }
  return "";
}

function same(one: string, other: string): boolean {
  return parseRelayUrls(one).join() === parseRelayUrls(other).join();
}

function noRelay(): UsageError {
  return new UsageError(
    "No relay was given and none of yours runs here: expected --url URL, STREAMRELAY_URL, or `streamrelay serve` in another terminal",
  );
}
