/**
 * A site's policies, as they bind one executor.
 *
 * @module
 */
import type { StreamEncryption } from "./executor_config.ts";
import type { JobFiles } from "./job/job_files.ts";
import { type JobPlace, takePlace } from "./job/job_places.ts";
import {
  patientTimings,
  permitEncryption,
  permitRelay,
  readSitePolicies,
  type SitePolicy,
  type WantedRelay,
} from "./site_policy.ts";
import type { Timings } from "./timings.ts";

/** Milliseconds that a policy is remembered: a login node is asked for its own over ssh. */
const KEPT = 60_000;

/** What a site demands of an executor's jobs. */
export class SiteRules {
  #files: () => JobFiles;
  #policies?: Promise<SitePolicy[]>;
  #read = 0;

  /** @param files The files of the machine that is submitted on. */
  constructor(files: () => JobFiles) {
    this.#files = files;
  }

  /**
   * Lets a job in.
   *
   * @param encryption How its stream is to be encrypted.
   * @returns Its place among the jobs that the site allows.
   * @throws {StreamError} `policy` for what the site does not allow, or does not say in a file that can
   * be read; `limit` where it has a cap, and that is reached.
   */
  async admit(encryption: StreamEncryption): Promise<JobPlace> {
    const policies = await this.#current();
    permitEncryption(policies, encryption);
    return await takePlace(policies);
  }

  /**
   * What refuses a relay.
   *
   * @returns Throws `policy` for one that the site does not allow.
   */
  async relays(): Promise<(wanted: WantedRelay) => void> {
    const policies = await this.#current();
    return (wanted) => permitRelay(policies, wanted);
  }

  /**
   * The intervals, none shorter than the site allows. A job that runs already is not lost over a policy
   * that can't be read.
   *
   * @param timings What the user wants.
   * @returns The intervals, with every default in them.
   */
  async timings(timings: Timings | undefined): Promise<Required<Timings>> {
    return patientTimings(await this.#current().catch(() => undefined), timings);
  }

  #current(): Promise<SitePolicy[]> {
    const known = this.#policies;
    if (known !== undefined && performance.now() - this.#read < KEPT) return known;
    const policies = readSitePolicies(this.#files());
    this.#policies = policies;
    this.#read = performance.now();
    policies.catch(() => {
      // what is mended counts at once
      if (this.#policies === policies) this.#policies = undefined;
    });
    return policies;
  }
}
