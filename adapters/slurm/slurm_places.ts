/**
 * Places in a Slurm queue.
 *
 * @module
 */
import { taskIds } from "./slurm_array.ts";
import { waitsByItself } from "./slurm_states.ts";

/** The value for `squeue -h -a -t PENDING -o` that {@linkcode parsePlaces} reads. */
export const PLACES_FORMAT = "%i|%Q|%P|%S|%r";

/** What the list of all that wait tells of one job. */
export interface Place {
  /**
   * 1-based: how many jobs of higher priority wait in the same partitions, and one. Slurm may start a
   * small job earlier. Absent for a job that waits for something else than resources.
   */
  position?: number;
  /** Expected start, in milliseconds since 1970, where Slurm has worked one out. */
  eta?: number;
  /** Why it waits, where Slurm has said so yet. */
  reason?: string;
}

/**
 * Counts places.
 *
 * @param text What `squeue` printed of every job that waits.
 * @returns Places by job id; the tasks of an array that wait together are one job.
 * @example
 * ```ts
 * import { parsePlaces } from "./slurm_places.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const text = "7|100|gpu|N/A|Priority\n8|200|gpu|N/A|Resources\n";
 * assertEquals(parsePlaces(text).get("7")?.position, 2);
 * ```
 */
export function parsePlaces(text: string): Map<string, Place> {
  const jobs = text.split("\n").filter(Boolean).map((line) => {
    const [id, priority, partitions = "", start = "", ...reason] = line.trim().split("|");
    return {
      id,
      number: parseInt(id, 10),
      priority: Number(priority),
      partitions: partitions.split(","),
      eta: Date.parse(start),
      reason: reason.join("|").replace(/^None$/, "") || undefined,
    };
  });
  const ahead = new Map<string, number>();
  const places = new Map<string, Place>();
  jobs.sort((a, b) => b.priority - a.priority || a.number - b.number);
  for (const { id, partitions, eta, reason } of jobs) {
    const place: Place = {};
    if (reason !== undefined) place.reason = reason;
    if (!Number.isNaN(eta)) place.eta = eta;
    if (!waitsByItself(reason)) {
      // a job that may run in several partitions is as far as in the one where it is next
      place.position = 1 + Math.min(...partitions.map((name) => ahead.get(name) ?? 0));
      for (const name of partitions) ahead.set(name, (ahead.get(name) ?? 0) + 1);
    }
    for (const task of taskIds(id)) places.set(task, place);
  }
  return places;
}
