/**
 * What a Slurm site's configuration says about how to behave there.
 *
 * @module
 */

/** As much of a site's configuration as matters here. */
export interface SlurmSite {
  /** Whether scripts or their environments are kept where others may read them. */
  archivesScripts: boolean;
  /** Whether users see no jobs but their own, so that a place in the queue can't be counted. */
  hidesJobs: boolean;
  /** Exit codes, from and to, with which a job is started over, or waits for somebody to let it. */
  requeued: [from: number, to: number][];
}

/**
 * Reads what `scontrol show config` printed. Scripts are archived by `AccountingStoreFlags`
 * (`job_script`, `job_env`), and by the completion plugins that are handed the script or run a program
 * of the site's.
 *
 * @param text The output; nothing is concluded from lines that aren't there.
 * @returns What it says.
 * @example
 * ```ts
 * import { parseSlurmSite } from "./slurm_site.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const text = "AccountingStoreFlags    = job_script\nPrivateData             = jobs,usage\n";
 * assertEquals(parseSlurmSite(text), { archivesScripts: true, hidesJobs: true, requeued: [] });
 * ```
 */
export function parseSlurmSite(text: string): SlurmSite {
  return {
    archivesScripts: /^AccountingStoreFlags\s*=.*job_(script|env)/im.test(text) ||
      /^JobCompType\s*=.*(elasticsearch|kafka|script)/im.test(text),
    hidesJobs: /^PrivateData\s*=.*\bjobs\b/im.test(text),
    requeued: [...text.matchAll(/^RequeueExit(?:Hold)?\s*=(.*)$/gim)].flatMap(([, codes]) =>
      [...codes.matchAll(/(\d+)(?:-(\d+))?/g)].map(([, from, to = from]): [number, number] => [
        Number(from),
        Number(to),
      ])
    ),
  };
}
