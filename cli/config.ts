/**
 * The configuration of a user and a site: a relay, and profiles of clusters.
 *
 * @module
 */
import { z } from "zod";
import type { RelayChoice } from "../adapters/relay/relay_for.ts";
import { whyMissing } from "../adapters/why_missing.ts";
import { type Profile, profileShape, relayShape } from "./profile.ts";
import { UsageError } from "./usage_error.ts";

const config = z.strictObject({
  relay: relayShape.optional(),
  profiles: z.record(z.string().min(1), profileShape).optional(),
});

/** A site's configuration, for all of its users. */
const SITE_CONFIG = "/etc/streamrelay/config.json";

/** The configuration file. */
export type Config = z.infer<typeof config>;

/**
 * Where the configuration is: `$STREAMRELAY_CONFIG`, else `streamrelay/config.json` under
 * `$XDG_CONFIG_HOME` or `~/.config`.
 *
 * @returns Its path; `undefined` where none of the three is set.
 */
export function configPath(): string | undefined {
  const own = Deno.env.get("STREAMRELAY_CONFIG");
  if (own) return own;
  const home = Deno.env.get("HOME");
  const folder = Deno.env.get("XDG_CONFIG_HOME") || (home && `${home}/.config`);
  return folder ? `${folder}/streamrelay/config.json` : undefined;
}

/**
 * Reads the configuration: a site's, and over it the user's. A profile of both is the site's with the
 * user's options in place of its own.
 *
 * @param site Path of the site's; a site has it for all of its users.
 * @returns What they say; nothing where there is no file.
 * @throws {UsageError} For a file that can't be read or says what can't be, naming the place.
 */
export async function readConfig(site: string = SITE_CONFIG): Promise<Config> {
  const path = configPath();
  // a file that was named must be there, one that may be there need not
  const named = path !== undefined && Deno.env.get("STREAMRELAY_CONFIG") === path;
  const general = await readOne(site, false);
  const own = path === undefined ? {} : await readOne(path, named);
  const profiles = { ...general.profiles };
  for (const [name, options] of Object.entries(own.profiles ?? {})) {
    profiles[name] = { ...profiles[name], ...options };
  }
  return { ...general, ...own, ...(Object.keys(profiles).length > 0 && { profiles }) };
}

async function readOne(path: string, named: boolean): Promise<Config> {
  let json: unknown;
  try {
    json = JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound && !named) return {};
    const why = whyMissing(error);
    throw new UsageError(`Cannot use ${path}: ${why}, expected JSON`);
  }
  const parsed = config.safeParse(json);
  if (parsed.success) return parsed.data;
  const { message, path: place } = deepest(parsed.error.issues[0]);
  throw new UsageError(
    `Cannot use ${path}: ${place.length ? `${place.join(".")}: ` : ""}${message}`,
  );
}

/**
 * A profile by name.
 *
 * @param from The configuration.
 * @param name The profile's name; without one, what applies to all.
 * @returns The profile, with the configuration's relay unless it has its own.
 * @throws {UsageError} Where there is none of that name.
 */
export function profileOf(from: Config, name: string | undefined): Profile {
  const { profiles = {}, relay } = from;
  if (name === undefined) return relay === undefined ? {} : { relay };
  if (!Object.hasOwn(profiles, name)) {
    const names = Object.keys(profiles).join(", ");
    throw new UsageError(
      `Unknown profile ${JSON.stringify(name)}: ${configPath()} has ${names || "none"}`,
    );
  }
  return { ...(relay !== undefined && { relay }), ...profiles[name] };
}

/**
 * A configured relay as executors take it.
 *
 * @param relay What the configuration says.
 * @returns The relay, with its token read.
 * @throws {UsageError} For a token file that can't be read.
 */
export async function relayOf(
  relay: Profile["relay"],
): Promise<"embedded" | "via" | RelayChoice | undefined> {
  if (relay === undefined || relay === "embedded" || relay === "via") return relay;
  if (typeof relay === "string") return { url: relay };
  const { tokenFile, ...choice } = relay;
  if (tokenFile === undefined) return choice;
  try {
    return { ...choice, token: (await Deno.readTextFile(tokenFile)).trim() };
  } catch (error) {
    throw new UsageError(
      `Cannot read relay.tokenFile ${tokenFile}: ${(error as Error).message}`,
    );
  }
}

type Issue = z.core.$ZodIssue;

/** Of alternatives that all fail, the one that came furthest tells most. */
function deepest(issue: Issue): { message: string; path: PropertyKey[] } {
  if (issue.code !== "invalid_union") return issue;
  const inner = issue.errors.flat().map(deepest)
    .sort((a, b) => b.path.length - a.path.length)[0];
  return inner && inner.path.length > 0
    ? { message: inner.message, path: [...issue.path, ...inner.path] }
    : issue;
}
