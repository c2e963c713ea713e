/**
 * What every client is told: where the relay is, which channel, and how patient to be.
 *
 * @module
 */
import { CHANNEL_ID_RULE, isChannelId, parseKey, StreamError } from "../stream/mod.ts";
import { fromEnvironment } from "./environment.ts";
import { parseRelayUrls } from "./relay_url.ts";

/** Where a channel is. */
export interface RelayAddress {
  /** The relay: `ws(s)://` or `http(s)://`; several, separated by commas, are tried in turn. */
  url: string;
  /** The channel's id. */
  channel: string;
  /** A token, or the relay's root secret. */
  token?: string;
  /** The key of end-to-end encryption: 64 hexadecimal digits, or base64. */
  key?: string;
}

/**
 * How a stream with a key is encrypted: `v2` notices whatever a relay does to the records, `v1` is the
 * Python package's and hides their content only.
 */
export type EncryptionVersion = "v1" | "v2";

/** How a client tries again. */
export interface RetryOptions {
  /** Milliseconds the first wait is at most; 200 by default. */
  base?: number;
  /** Milliseconds no wait exceeds; 10,000 by default. */
  cap?: number;
  /** Milliseconds without a connection after which it gives up; 600,000 by default, 0: at once. */
  giveUpAfter?: number;
  /** The same for the very first connection; `giveUpAfter` by default. */
  firstGiveUpAfter?: number;
}

/** Options that all clients share. What is missing of the address is taken from the environment. */
export interface ClientOptions extends Partial<RelayAddress> {
  /** `v2`, `v1`, or `auto` (the default): v2, and v1 with a relay that doesn't know v2, as Python's. */
  protocol?: "auto" | "v1" | "v2";
  /**
   * How a stream with a key is encrypted. Said here and never negotiated: a relay can't talk a client
   * out of it. By default `v2`; `v1` where `protocol` is `v1`, or where the key comes from the Python
   * package's variable `RELAY_ENCRYPTION_KEY`.
   */
  encryption?: EncryptionVersion;
  /** The WebSocket class; the runtime's own by default. */
  webSocket?: typeof WebSocket;
  /** Milliseconds a connection may take until the relay has answered; 10,000 by default. */
  connectTimeout?: number;
  /**
   * Milliseconds of silence after which the relay is asked whether it is still there, and may take to
   * answer; 10,000 by default, 0: never. A path can die without a word; in v2 a client notices within
   * thrice as long, which should be less than the relay's grace for a producer that is away.
   */
  pingAfter?: number;
  /** Back-off and patience. */
  retry?: RetryOptions;
  /** Ends the client when it fires. */
  signal?: AbortSignal;
}

/** Options with every default filled in. */
export interface ResolvedOptions {
  /** The relays, in their WebSocket form. */
  urls: string[];
  /** The channel's id. */
  channel: string;
  /** A token, or the relay's root secret. */
  token?: string;
  /** The key of end-to-end encryption. */
  key?: string;
  /** How it is encrypted; absent without a key. */
  encryption?: EncryptionVersion;
  /** The protocol to speak. */
  protocol: "auto" | "v1" | "v2";
  /** The WebSocket class. */
  webSocket: typeof WebSocket;
  /** Milliseconds a connection may take. */
  connectTimeout: number;
  /** Milliseconds of silence after which the relay is asked whether it is still there; 0: never. */
  pingAfter: number;
  /** Back-off and patience. */
  retry: Required<RetryOptions>;
  /** Ends the client when it fires. */
  signal?: AbortSignal;
}

/**
 * Fills in what is missing and checks the rest.
 *
 * @param options What the caller gave; an empty text for `token` or `key` means none, whatever the
 * environment says.
 * @returns The options in full.
 * @throws {StreamError} `bad_request` for a missing or malformed URL, channel or key, or an encryption
 * that can't be, `unsupported` where the runtime has no WebSocket.
 */
export function resolveOptions(options: ClientOptions): ResolvedOptions {
  const found = fromEnvironment();
  const url = options.url ?? found.url;
  const channel = options.channel ?? found.channel;
  const key = (options.key ?? found.key) || undefined;
  const webSocket = options.webSocket ?? globalThis.WebSocket;
  if (!url) {
    throw new StreamError(
      "bad_request",
      "Cannot connect: no relay URL was given, expected `url` or STREAMRELAY_URL",
    );
  }
  if (!channel) {
    throw new StreamError(
      "bad_request",
      "Cannot connect: no channel was given, expected `channel` or STREAMRELAY_CHANNEL",
    );
  }
  if (!isChannelId(channel)) {
    throw new StreamError(
      "bad_request",
      `Cannot use channel id ${JSON.stringify(channel)}: expected ${CHANNEL_ID_RULE}`,
    );
  }
  // a bad key must fail here, not after the first record is gone
  if (key !== undefined) parseKey(key);
  const protocol = options.protocol ?? "auto";
  const isPythons = protocol === "v1" || (!options.key && found.encryption === "v1");
  const encryption = options.encryption ??
    (key === undefined ? undefined : isPythons ? "v1" : "v2");
  if (encryption !== undefined && key === undefined) {
    throw new StreamError(
      "bad_request",
      `Cannot encrypt: encryption ${encryption} was asked for and no key is set, expected \`key\` or STREAMRELAY_KEY`,
    );
  }
  if (encryption === "v2" && protocol === "v1") {
    throw new StreamError(
      "bad_request",
      "Cannot encrypt: protocol v1 has no encryption v2, expected encryption v1 or protocol v2",
    );
  }
  if (webSocket === undefined) {
    throw new StreamError(
      "unsupported",
      "Cannot connect: this runtime has no WebSocket, expected Node 22 or later, or the `webSocket` option",
    );
  }
  const giveUpAfter = options.retry?.giveUpAfter ?? 600_000;
  return {
    urls: parseRelayUrls(url),
    channel,
    token: (options.token ?? found.token) || undefined,
    key,
    encryption,
    // a relay that closes as Python's does must not bring encryption v2 down
    protocol: encryption === "v2" ? "v2" : protocol,
    webSocket,
    connectTimeout: options.connectTimeout ?? 10_000,
    pingAfter: options.pingAfter ?? 10_000,
    retry: {
      base: options.retry?.base ?? 200,
      cap: options.retry?.cap ?? 10_000,
      giveUpAfter,
      firstGiveUpAfter: options.retry?.firstGiveUpAfter ?? giveUpAfter,
    },
    signal: options.signal,
  };
}
