/**
 * Credentials: the root secret, and the tokens that are signed with a key derived from it.
 *
 * @module
 */
import { createHash, hkdfSync, timingSafeEqual } from "node:crypto";
import { errors, jwtVerify, SignJWT } from "jose";
import { StreamError } from "../stream/mod.ts";

/**
 * What a credential may do; `docs/protocol.md` has the table.
 *
 * @example
 * ```ts
 * import { mintToken, ROLES } from "./tokens.ts";
 *
 * const roles = ROLES.filter((role) => role !== "admin" && role !== "create");
 * console.log(await mintToken("a long random secret", { prefix: "alice-", roles }));
 * ```
 */
export const ROLES = [
  "create",
  "produce",
  "consume",
  "supervise",
  "cancel",
  "admin",
] as const;

/** One of {@linkcode ROLES}. */
export type Role = typeof ROLES[number];

/** What a new token is to allow. */
export interface TokenOptions {
  /** The one channel it is for. */
  channel?: string;
  /** The prefix of the channels it is for. */
  prefix?: string;
  /** What it allows. */
  roles: Role[];
  /** The incarnation of its channel: the token is good while that one exists, and needs no clock. */
  incarnation?: string;
  /** Seconds until it expires; without it, and without an incarnation, it does not. */
  expiresIn?: number;
  /** Whom quotas and the audit log count it for. */
  subject?: string;
}

/** What a credential that was found good allows. */
export interface Grant {
  /** The roles; `admin` for the root secret. */
  roles: readonly Role[];
  /** The one channel it is for. */
  channel?: string;
  /** The prefix of the channels it is for. */
  prefix?: string;
  /** The incarnation it is bound to. */
  incarnation?: string;
  /** Whom it is counted for. */
  subject?: string;
  /** What it comes from, for the audit log. */
  key?: "secret" | "token" | "none";
  /** The address it was shown from, for the audit log. */
  from?: string;
}

/** What everybody may on a relay that was started with `--insecure`, and what the root secret gives. */
export const EVERYTHING: Grant = { roles: ["admin"] };

/**
 * Signs a token.
 *
 * @param secret The relay's root secret.
 * @param options What it is to allow.
 * @returns A JWT.
 * @throws {StreamError} `bad_request` when it names neither a channel nor a prefix and is not for an admin.
 * @example
 * ```ts
 * import { mintToken, verifyCredential } from "./tokens.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const token = await mintToken("root", { channel: "c", roles: ["consume"], expiresIn: 60 });
 * assertEquals((await verifyCredential("root", token)).roles, ["consume"]);
 * ```
 */
export async function mintToken(
  secret: string,
  options: TokenOptions,
): Promise<string> {
  const { channel, prefix, roles, incarnation, expiresIn, subject } = options;
  if (
    channel === undefined && prefix === undefined && !roles.includes("admin")
  ) {
    throw new StreamError(
      "bad_request",
      "Cannot make token: it names neither a channel nor a prefix, expected one of them",
    );
  }
  const claims: Record<string, unknown> = { roles };
  if (channel !== undefined) claims.ch = channel;
  if (prefix !== undefined) claims.pre = prefix;
  if (incarnation !== undefined) claims.inc = incarnation;
  const token = new SignJWT(claims).setProtectedHeader({ alg: "HS256" })
    .setAudience("streamrelay");
  if (subject !== undefined) token.setSubject(subject);
  if (expiresIn !== undefined) {
    token.setExpirationTime(Math.floor(Date.now() / 1000) + expiresIn);
  }
  return await token.sign(signingKey(secret));
}

/**
 * Finds out what a credential allows.
 *
 * @param secret The relay's root secret.
 * @param credential The root secret itself, or a token.
 * @returns What it allows.
 * @throws {StreamError} `unauthorized`, with a sentence that tells no more than that it is wrong or expired.
 */
export async function verifyCredential(
  secret: string,
  credential: string | undefined,
): Promise<Grant> {
  // what came over the wire may be anything
  if (typeof credential !== "string" || credential === "") {
    throw new StreamError(
      "unauthorized",
      "No credential was given, expected a token or the relay's secret",
    );
  }
  if (same(secret, credential)) return EVERYTHING;
  refuseOtherTask(credential);
  try {
    const { payload } = await jwtVerify(credential, signingKey(secret), {
      algorithms: ["HS256"],
      audience: "streamrelay",
    });
    return {
      roles: Array.isArray(payload.roles)
        ? ROLES.filter((role) => (payload.roles as unknown[]).includes(role))
        : [],
      channel: text(payload.ch),
      prefix: text(payload.pre),
      incarnation: text(payload.inc),
      subject: payload.sub,
    };
  } catch (cause) {
    throw new StreamError(
      "unauthorized",
      cause instanceof errors.JWTExpired
        ? "The token has expired, expected a fresh one"
        : "The credential is wrong, expected a token or the relay's secret",
      { cause },
    );
  }
}

/**
 * Refuses what the tasks of a job step but the first are given in place of a token, so that whatever
 * client they use tells why.
 *
 * @param credential What a client showed.
 * @throws {StreamError} `unauthorized` for `task-1`, `task-2`, …
 */
export function refuseOtherTask(credential: string | undefined): void {
  const [, task] = /^task-(\d{1,9})$/.exec(credential ?? "") ?? [];
  if (task === undefined) return;
  throw new StreamError(
    "unauthorized",
    `This is task ${task} of its job step: only task 0 speaks to the relay`,
  );
}

/**
 * Checks that a grant covers what is asked.
 *
 * @param grant What the credential allows.
 * @param role What is asked.
 * @param channel Which channel, and its incarnation where it exists.
 * @throws {StreamError} `forbidden` for another role or channel, `expired` for an incarnation that is gone.
 */
export function demand(
  grant: Grant,
  role: Role,
  channel?: { id: string; incarnation?: string },
): void {
  const { roles } = grant;
  const covers = roles.includes("admin") || roles.includes(role) ||
    (roles.includes("supervise") && (role === "consume" || role === "cancel"));
  if (!covers) {
    throw new StreamError(
      "forbidden",
      `The token allows ${roles.join(", ") || "nothing"}, expected ${role}`,
    );
  }
  if (!channel) return;
  const mine = (grant.channel === undefined || grant.channel === channel.id) &&
    (grant.prefix === undefined || channel.id.startsWith(grant.prefix));
  if (!mine) {
    throw new StreamError(
      "forbidden",
      "The token is for another channel than the one asked for",
    );
  }
  if (
    grant.incarnation && channel.incarnation &&
    grant.incarnation !== channel.incarnation
  ) {
    throw new StreamError(
      "expired",
      "The channel that the token was made for is gone; one of that name was made anew",
    );
  }
}

/** Compares in constant time, whatever the lengths, by comparing digests. */
function same(one: string, other: string): boolean {
  const digest = (value: string) => createHash("sha256").update(value).digest();
  return timingSafeEqual(digest(one), digest(other));
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

const keys = new Map<string, Uint8Array>();

function signingKey(secret: string): Uint8Array {
  let key = keys.get(secret);
  if (!key) {
    key = new Uint8Array(
      hkdfSync("sha256", secret, "", "streamrelay token v1", 32),
    );
    keys.clear();
    keys.set(secret, key);
  }
  return key;
}
