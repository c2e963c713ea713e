/**
 * Where a job runs, as its record tells it to a later process.
 *
 * @module
 */

/** What leads to a job's scheduler again, beside `via`. Nothing of it is secret. */
export interface Whereabouts {
  /** Folder of the scheduler's programs. */
  bin?: string;
  /** Variables that tell these programs which cluster is meant. */
  env?: Record<string, string>;
  /** Globus Compute: the endpoint. */
  endpoint?: string;
  /** Globus Compute: its web service, where that is another one than usual. */
  serviceUrl?: string;
  /** Globus Compute: Globus Auth, where that is another one than usual. */
  authUrl?: string;
  /** Globus Compute: the client that logged in, without its secret. */
  clientId?: string;
}

/**
 * The whereabouts of a scheduler that is reached by programs.
 *
 * @param config Folder of the programs, and the login node: its variables are its own.
 * @param names Variables that tell these programs which cluster is meant.
 * @returns The whereabouts; `undefined` where nothing has to be known.
 * @example
 * ```ts
 * import { whereabouts } from "./whereabouts.ts";
 * import { assertEquals } from "@std/assert";
 *
 * Deno.env.set("SLURM_CONF", "/etc/other/slurm.conf");
 * assertEquals(whereabouts({}, ["SLURM_CONF"]), { env: { SLURM_CONF: "/etc/other/slurm.conf" } });
 * assertEquals(whereabouts({ via: { ssh: "login1" } }, ["SLURM_CONF"]), undefined);
 * ```
 */
export function whereabouts(
  { bin, via }: { bin?: string; via?: unknown },
  names: readonly string[],
): Whereabouts | undefined {
  const set = via === undefined
    ? names.map((name) => [name, Deno.env.get(name)] as const).filter(([, value]) => value)
    : [];
  if (bin === undefined && set.length === 0) return undefined;
  return {
    ...(bin !== undefined && { bin }),
    ...(set.length > 0 && { env: Object.fromEntries(set) as Record<string, string> }),
  };
}
