/**
 * What a site demands of every job that is submitted on its machines. No option, variable or file of a
 * user changes where it is read from, or loosens it.
 *
 * @module
 */
import { z } from "zod";
import { StreamError } from "../stream/stream_error.ts";
import type { StreamEncryption } from "./executor_config.ts";
import { type JobFiles, localFiles } from "./job/job_files.ts";
import { DEFAULT_TIMINGS, type Timings } from "./timings.ts";

/** Where it stands, on the machine that submits and on a login node that is submitted on by ssh. */
export const POLICY_FILE = "/etc/streamrelay/policy.json";

/** The schemes of a relay; which of them are WebSocket's makes no difference. */
const SCHEME = /^(ws|http)(s?:\/\/)/;

/** What stands for relays: of all that a pattern of the platform could say, the star alone. */
const RELAYS =
  /^(ws|http)s?:\/\/(\*|\[[\da-fA-F:.]+\]|[\d.]+|(?![\d.*]+(:|\/|$))[\w.*-]+)(:(\d+|\*))?(\/[\w.~*\/-]*)?$/;

/** Relays of a user's own, which have no URL before they are started. */
const OWN: readonly string[] = ["embedded", "via"];

const relayPattern = z.string().refine(
  (text) => OWN.includes(text) || (RELAYS.test(text) && patternOf(text) !== undefined),
  'expected "embedded", "via", or a URL with * for any part, such as wss://*.example.edu',
);

const schema = z.strictObject({
  allowedRelays: z.array(relayPattern).optional(),
  requireEncryption: z.union([z.boolean(), z.literal("v2")]).optional(),
  minPollInterval: z.number().nonnegative().optional(),
  maxJobs: z.number().int().nonnegative().optional(),
  maxJobsPerHour: z.number().int().nonnegative().optional(),
});

/** A policy. What it leaves out is allowed. */
export interface SitePolicy extends z.infer<typeof schema> {
  /** The file, as it is called in messages. */
  file: string;
}

/** A relay that somebody wants to use: one of their own on this machine or on the login node, or one by its URLs. */
export type WantedRelay = "embedded" | "via" | { url: string; jobUrl?: string };

/**
 * Reads a policy.
 *
 * @param text What its file holds.
 * @param file The file, as it is called in messages.
 * @returns The policy.
 * @throws {StreamError} `policy` for what isn't one, naming the file and the field.
 * @example
 * ```ts
 * import { parseSitePolicy } from "./site_policy.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const policy = parseSitePolicy('{"maxJobs": 4}', "/etc/streamrelay/policy.json");
 * assertEquals(policy.maxJobs, 4);
 * ```
 */
export function parseSitePolicy(text: string, file: string): SitePolicy {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw unusable(file, `${(error as Error).message}, expected JSON`);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return { ...parsed.data, file };
  const { path, message } = parsed.error.issues[0];
  throw unusable(file, `${path.length > 0 ? `${path.join(".")}: ` : ""}${message}`);
}

/**
 * The policies that bind whoever submits with the programs of a machine: that of this machine, and where
 * it is another one, that one's too.
 *
 * @param files The files of the machine that is submitted on.
 * @returns The policies, none where there is no file.
 * @throws {StreamError} `policy` for a file that can't be read or isn't one: nothing is allowed then.
 */
export async function readSitePolicies(files: JobFiles): Promise<SitePolicy[]> {
  const policies: SitePolicy[] = [];
  for (const where of files === localFiles ? [localFiles] : [localFiles, files]) {
    const file = `${where.place === undefined ? "" : `${where.place}:`}${POLICY_FILE}`;
    let text: string | undefined;
    try {
      text = await where.text(POLICY_FILE);
    } catch (error) {
      // a machine that can't be reached is no matter of its policy
      if (error instanceof StreamError) throw error;
      throw unusable(file, `${(error as Error).message}, expected a file that its users can read`);
    }
    if (text !== undefined) policies.push(parseSitePolicy(text, file));
  }
  return policies;
}

/**
 * Refuses a relay that a site doesn't allow.
 *
 * @param policies The policies.
 * @param wanted The relay.
 * @throws {StreamError} `policy`, naming the file, the relay and what is allowed.
 * @example
 * ```ts
 * import { permitRelay } from "./site_policy.ts";
 * import { assertThrows } from "@std/assert";
 *
 * const policies = [{ file: "policy.json", allowedRelays: ["wss://*.example.edu"] }];
 * permitRelay(policies, { url: "wss://relay.example.edu" });
 * assertThrows(() => permitRelay(policies, "embedded"), Error, "allowedRelays");
 * ```
 */
export function permitRelay(policies: readonly SitePolicy[], wanted: WantedRelay): void {
  const names = typeof wanted === "string"
    ? [wanted]
    : [wanted.url, wanted.jobUrl ?? ""].join().split(",").map((url) => url.trim()).filter(Boolean);
  for (const { file, allowedRelays } of policies) {
    const refused = allowedRelays &&
      names.find((name) => !allowedRelays.some((pattern) => matches(pattern, name)));
    if (refused === undefined) continue;
    throw new StreamError(
      "policy",
      `Cannot use relay ${refused}: the site's policy ${file} has allowedRelays = ${
        allowedRelays!.join(", ") || "none"
      }`,
    );
  }
}

/**
 * Refuses a stream that isn't encrypted as a site demands that all are.
 *
 * @param policies The policies.
 * @param encryption How the stream is to be encrypted.
 * @throws {StreamError} `policy`, naming the file.
 */
export function permitEncryption(
  policies: readonly SitePolicy[],
  encryption: StreamEncryption,
): void {
  const demanding = policies.find(({ requireEncryption }) =>
    requireEncryption === "v2" ? encryption !== "v2" : requireEncryption && encryption === "off"
  );
  if (demanding === undefined) return;
  throw new StreamError(
    "policy",
    `Cannot stream with encryption "${encryption}": the site's policy ${demanding.file} has requireEncryption = ${demanding.requireEncryption}`,
  );
}

/**
 * Intervals that no policy finds too short.
 *
 * @param policies The policies; `undefined` where one can't be read.
 * @param timings What the user wants.
 * @returns The intervals, with every default in them.
 * @example
 * ```ts
 * import { patientTimings } from "./site_policy.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const policies = [{ file: "policy.json", minPollInterval: 300 }];
 * assertEquals(patientTimings(policies, { pollEvery: 1_000 }).pollEvery, 300_000);
 * ```
 */
export function patientTimings(
  policies: readonly SitePolicy[] | undefined,
  timings: Timings = {},
): Required<Timings> {
  const wanted = { ...DEFAULT_TIMINGS, ...timings };
  const least = policies === undefined
    ? DEFAULT_TIMINGS.pollEvery
    : Math.max(0, ...policies.map(({ minPollInterval = 0 }) => minPollInterval * 1_000));
  return {
    ...wanted,
    pollEvery: Math.max(wanted.pollEvery, least),
    pollAtMost: Math.max(wanted.pollAtMost, least),
    fateEvery: Math.max(wanted.fateEvery, least),
  };
}

function matches(pattern: string, name: string): boolean {
  if (OWN.includes(pattern) || OWN.includes(name)) return pattern === name;
  return patternOf(pattern)?.test(name.replace(SCHEME, "ws$2")) ?? false;
}

function patternOf(text: string): URLPattern | undefined {
  try {
    // the colons of an IPv6 address would begin names
    const literal = text.replace(/\[.*\]/, (address) => address.replaceAll(":", "\\:"));
    return new URLPattern(literal.replace(SCHEME, "ws$2"));
  } catch {
    return undefined;
  }
}

function unusable(file: string, why: string): StreamError {
  return new StreamError(
    "policy",
    `Cannot submit jobs under the site's policy ${file}: ${why.replaceAll(/\s*\n\s*/g, " ")}`,
  );
}
