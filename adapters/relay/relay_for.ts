/**
 * Which relay an executor's streams go through.
 *
 * @module
 */
import { fromEnvironment } from "../../client/mod.ts";
import { StreamError } from "../../stream/stream_error.ts";
import type { WantedRelay } from "../site_policy.ts";
import { embeddedRelay, type EmbeddedRelayOptions } from "./embedded_relay.ts";
import { findLocalRelay, isLoopback } from "./relay_record.ts";

/** A relay that runs somewhere. */
export interface RelayChoice {
  /** `ws(s)://` or `http(s)://` URL as seen from here. */
  url: string;
  /** The URL as seen from the node, where that is another. */
  jobUrl?: string;
  /** A `create` token or the root secret; without it, the environment's, or that of this user's own relay there. */
  token?: string;
}

/** A relay with all that is needed to make a channel on it. */
export interface ResolvedRelay {
  /** URL as seen from here. */
  url: string;
  /** URL as seen from the node. */
  jobUrl: string;
  /** What may create channels; a relay may do without. */
  token?: string;
  /** Fires when the relay is gone, with the reason; absent where only its silence tells. */
  lost?: AbortSignal;
}

/** Options of {@linkcode relayFor}. */
export interface RelayForOptions extends EmbeddedRelayOptions {
  /** Finds the address that nodes see; asked only where a relay has to be found or started. */
  nodeFacing?: () => Promise<string>;
  /** Throws for a relay that may not be used, before anything is started. */
  permit?: (wanted: WantedRelay) => void;
}

/**
 * Finds a relay, or starts one: what was chosen; else `STREAMRELAY_URL` or `RELAY_URL`; else a relay of
 * this user that runs here; else an embedded one.
 *
 * @param choice What the configuration says.
 * @param options For an embedded relay.
 * @returns The relay.
 * @throws {StreamError} `bad_request` for a URL that is none; `unreachable` where no relay could be started.
 * @example
 * ```ts
 * import { relayFor } from "./relay_for.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const relay = await relayFor({ url: "wss://relay.example.org", token: "a create token" });
 * assertEquals(relay.jobUrl, "wss://relay.example.org");
 * ```
 */
export async function relayFor(
  choice: "embedded" | RelayChoice | undefined,
  options: RelayForOptions = {},
): Promise<ResolvedRelay> {
  const { permit = () => {} } = options;
  if (choice !== undefined && choice !== "embedded") {
    return await withToken(choice, permit);
  }
  if (choice === undefined) {
    const { url } = fromEnvironment();
    if (url) {
      return await withToken({
        url,
        jobUrl: Deno.env.get("STREAMRELAY_JOB_URL"),
      }, permit);
    }
  }
  permit("embedded");
  const host = options.host ?? Deno.env.get("STREAMRELAY_EMBEDDED_HOST") ??
    await options.nodeFacing?.() ?? "127.0.0.1";
  if (choice === undefined) {
    const local = await findLocalRelay();
    if (local && (host === "127.0.0.1" || !isLoopback(local.url))) {
      return fromRecord(local);
    }
  }
  return fromRecord(await embeddedRelay({ ...options, host }));
}

function fromRecord(
  record: { url: string; jobUrl?: string; secret: string },
): ResolvedRelay {
  const { url, jobUrl, secret } = record;
  return { url, jobUrl: jobUrl ?? url, token: secret };
}

async function withToken(
  choice: RelayChoice,
  permit: (wanted: WantedRelay) => void,
): Promise<ResolvedRelay> {
  const { url, jobUrl } = choice;
  for (const one of [...url.split(","), ...jobUrl?.split(",") ?? []]) {
    if (!/^(ws|http)s?:\/\/[^/]/.test(one.trim())) {
      throw new StreamError(
        "bad_request",
        `Cannot use relay URL ${
          JSON.stringify(one)
        }: expected ws://, wss://, http:// or https:// and a host`,
      );
    }
  }
  permit(choice);
  const token = choice.token ?? fromEnvironment().token ??
    (await findLocalRelay({ url }))?.secret;
  return { url, jobUrl: jobUrl ?? url, ...(token && { token }) };
}
