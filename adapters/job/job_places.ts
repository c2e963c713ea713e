/**
 * A site's caps on a user's jobs, counted over all of the user's processes: a file a job, in the home
 * folder that the system has of the user, whatever `HOME` says.
 *
 * @module
 */
import { userInfo } from "node:os";
import { ControlClient } from "../../client/mod.ts";
import type { ErrorCode } from "../../stream/error_code.ts";
import { StreamError } from "../../stream/stream_error.ts";
import type { SitePolicy } from "../site_policy.ts";
import { readPrivate, writePrivate } from "../state_folder.ts";
import type { PreparedChannel } from "./prepare_channel.ts";

/** A job's place among those that a site allows. */
export interface JobPlace {
  /** Says by which channel others can tell whether the job is over. */
  holds(channel: PreparedChannel): Promise<void>;
  /** Gives it back; a job that was never submitted does not count for its hour either. */
  leave(submitted: boolean): Promise<void>;
}

/** What is remembered of a job. */
interface Place {
  /** When it was taken, in milliseconds since 1970. */
  taken: number;
  /** Whether the job is over. */
  over?: boolean;
  /** Its channel, the relay, and a token that may ask about it. */
  channel?: { id: string; relay: string; token: string };
}

const HOUR = 3_600_000;

/** Milliseconds within which a job that takes a place has a channel, or has come to nothing. */
const PREPARING = 10 * 60_000;

/** Milliseconds after which a job is forgotten, whatever its relay says. */
const KEPT = 30 * 86_400_000;

/** Milliseconds a relay has to say whether a job is over. */
const ASKING = 5_000;

/** What a relay says of a channel that it has no more; one that began anew doesn't know its tokens. */
const GONE: readonly ErrorCode[] = [
  "not_found",
  "expired",
  "relay_restarted",
  "unauthorized",
  "forbidden",
];

const FREE: JobPlace = { holds: async () => {}, leave: async () => {} };

/**
 * Takes a place for a job. It is free again once the job's stream has its end, or its relay is gone.
 *
 * @param policies What the site allows; without caps nothing is counted.
 * @param folder Where the places are; in the user's home by default.
 * @returns The place.
 * @throws {StreamError} `limit` where a cap is reached; `policy` where nothing can be counted.
 */
export async function takePlace(
  policies: readonly SitePolicy[],
  folder?: string,
): Promise<JobPlace> {
  const capping = policies.find(({ maxJobs, maxJobsPerHour }) =>
    maxJobs !== undefined || maxJobsPerHour !== undefined
  );
  if (capping === undefined) return FREE;
  try {
    const places = folder ?? `${userInfo().homedir}/.local/state/streamrelay/places`;
    await Deno.mkdir(places, { recursive: true, mode: 0o700 });
    using lock = await Deno.open(`${places}/lock`, { create: true, write: true, mode: 0o600 });
    // two that come together must not both get the last place; a file system without locks may let them
    await lock.lock(true).catch(() => {});
    return await takeLocked(policies, places);
  } catch (error) {
    if (error instanceof StreamError) throw error;
    throw new StreamError(
      "policy",
      `Cannot count jobs for the site's policy ${capping.file}: ${
        (error as Error).message
      }, expected a home folder that can be written`,
    );
  }
}

async function takeLocked(policies: readonly SitePolicy[], folder: string): Promise<JobPlace> {
  const now = Date.now();
  const places = await readPlaces(folder, now);
  const lately = [...places.values()].filter(({ taken }) => taken > now - HOUR).length;
  const most = Math.min(...policies.map(({ maxJobs = Infinity }) => maxJobs));
  let running = [...places].filter(([, { over }]) => !over);
  // relays are asked only where that decides something
  if (running.length >= most) running = await stillRunning(running, now);
  for (const { file, maxJobs = Infinity, maxJobsPerHour = Infinity } of policies) {
    if (running.length >= maxJobs) {
      throw new StreamError(
        "limit",
        `Cannot submit job: ${running.length} of yours are under way, and the site's policy ${file} has maxJobs = ${maxJobs}`,
      );
    }
    if (lately >= maxJobsPerHour) {
      throw new StreamError(
        "limit",
        `Cannot submit job: you submitted ${lately} within the last hour, and the site's policy ${file} has maxJobsPerHour = ${maxJobsPerHour}`,
      );
    }
  }
  const path = `${folder}/${crypto.randomUUID()}.json`;
  let place: Place = { taken: now };
  const write = () => writePrivate(path, JSON.stringify(place) + "\n");
  await write();
  return {
    async holds({ channel: id, relay, tokens: { consume: token } }) {
      place = { ...place, channel: { id, relay, token } };
      await write();
    },
    async leave(submitted) {
      place = { taken: now, over: true };
      await (submitted ? write() : Deno.remove(path));
    },
  };
}

/** The places that are taken, or count for their hour, by their files. */
async function readPlaces(folder: string, now: number): Promise<Map<string, Place>> {
  const places = new Map<string, Place>();
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".json")) continue;
    const path = `${folder}/${name}`;
    const place = await readPrivate(path) as Place | undefined;
    if (typeof place?.taken !== "number") continue;
    const { taken, over, channel } = place;
    const unused = channel === undefined && taken < now - PREPARING;
    if (taken < now - (over || unused ? HOUR : KEPT)) await Deno.remove(path);
    else places.set(path, unused ? { ...place, over: true } : place);
  }
  return places;
}

/** The jobs whose relay does not say that they are over; what is over is noted. */
async function stillRunning(
  places: readonly [string, Place][],
  now: number,
): Promise<[string, Place][]> {
  const running = await Promise.all(places.map(async ([path, place]) => {
    if (place.channel === undefined) return place.taken > now - PREPARING;
    const { id, relay: url, token } = place.channel;
    try {
      const { end } = await new ControlClient({ url, token, timeout: ASKING }).info(id);
      if (end === undefined) return true;
    } catch (error) {
      const { code } = StreamError.from(error);
      // a job whose relay is gone has no stream any more; one that is only away counts again later
      if (code === "unreachable") return false;
      if (!GONE.includes(code)) return true;
    }
    const over: Place = { taken: place.taken, over: true };
    await writePrivate(path, JSON.stringify(over) + "\n");
    return false;
  }));
  return places.filter((_, index) => running[index]);
}
