/** @module */

/** Milliseconds that Slurm has for its answer. */
const PATIENCE = 5_000;

/**
 * Whether jobs can be submitted to Slurm from here: there is an `sbatch`, and `sinfo` tells of a
 * partition that is up.
 *
 * @returns Whether they can.
 */
export async function slurmAnswers(): Promise<boolean> {
  try {
    const sbatch = await new Deno.Command("sbatch", {
      args: ["--version"],
      stdout: "null",
      stderr: "null",
    }).output();
    const sinfo = await new Deno.Command("sinfo", {
      args: ["-h", "-o", "%a"],
      stdout: "piped",
      stderr: "null",
      signal: AbortSignal.timeout(PATIENCE),
    }).output();
    return sbatch.success && sinfo.success &&
      /^up$/m.test(new TextDecoder().decode(sinfo.stdout));
  } catch {
    return false;
  }
}
